//! What the search came to, in terms that a person can follow.

use super::{Operation, State};

/// Whether a history is linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Linearizable,
    /// It is not.
    Violation(Explanation),
    /// The budget ran out before either was found. As bad as a violation: nothing was shown.
    Undecided,
}

/// How far a history makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A longest beginning that a single copy could have answered: positions in the history, in the order of effect.
    pub prefix: Vec<usize>,
    /// What the key holds after it.
    pub state: State,
    /// The operation that ended first of those that are left, and that nothing allows to follow: its position.
    pub stuck: usize,
}

/// How many operations of a prefix are told: the state says what matters of those before.
const TOLD: usize = 4;

impl Explanation {
    /// Tells it in one line; `history` is the one that was judged.
    pub fn describe(&self, history: &[Operation]) -> String {
        let told = |at: &usize| history.get(*at).map(Operation::to_string).unwrap_or_default();
        let (count, total) = (self.prefix.len(), history.len());
        let last: Vec<String> = self.prefix[count.saturating_sub(TOLD)..].iter().map(told).collect();
        let after = if last.is_empty() { "at the beginning".to_owned() } else { last.join(", ") };
        let state = match &self.state {
            Some(value) => format!("holds \"{}\"", value.escape_ascii()),
            None => "is absent".to_owned(),
        };
        let stuck = told(&self.stuck);
        format!(
            "{count} of {total} operations follow each other, the last: {after}; the key {state}; then nothing explains {stuck}"
        )
    }
}
