//! A vote, once answered for, is never taken back: not by a later one, not by a crash.

use super::Invariant;
use crate::oracle::{Entry, Observed};
use predis_types::probe::Event;
use std::collections::BTreeMap;

/// See the module. Votes are ordered by term, then candidate, then whether they are committed.
#[derive(Default)]
pub struct VotesNeverRegress {
    last: BTreeMap<u64, (u64, u64, bool)>,
}

impl Invariant for VotesNeverRegress {
    fn name(&self) -> &'static str {
        "votes-never-regress"
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        let (vote, what) = match entry.what {
            Observed::Probe(Event::VoteSaved { term, candidate, committed }) => {
                ((term, candidate, committed), "saved")
            }
            Observed::Probe(Event::VoteLoaded { term, candidate, committed }) => {
                ((term, candidate, committed), "loaded")
            }
            _ => return Ok(()),
        };
        let last = self.last.entry(entry.who).or_insert(vote);
        if vote < *last {
            return Err(format!("node {} {what} vote {vote:?} after {last:?}", entry.who));
        }
        *last = vote;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_lower_vote_is_a_regression_on_the_same_node_only() {
        let mut invariant = VotesNeverRegress::default();
        let mut saved = |who, term, candidate| {
            let what = Observed::Probe(Event::VoteSaved { term, candidate, committed: false });
            invariant.observe(&Entry { at: Duration::ZERO, who, what })
        };
        assert_eq!(saved(1, 2, 1), Ok(()));
        assert_eq!(saved(2, 1, 1), Ok(()));
        assert_eq!(saved(1, 2, 3), Ok(()));
        assert!(saved(1, 2, 1).is_err());
        assert!(saved(2, 0, 9).is_err());
    }
}
