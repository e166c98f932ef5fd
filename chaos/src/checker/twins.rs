//! Which operations of unknown outcome would do the same, as far as any answer in the history can tell.
//!
//! Two that ask the same do. So do two removals, and two writes of values that nobody ever saw, if they are of one
//! length: of such a value an answer tells that it is there, how long it is, and that it is no integer.

use super::{Input, Operation, Output};
use bytes::Bytes;

/// See the module.
pub(super) struct Twins<'a> {
    /// The values that were read.
    seen: Vec<&'a Bytes>,
}

impl<'a> Twins<'a> {
    pub(super) fn of(history: &'a [Operation]) -> Twins<'a> {
        let value = |operation: &'a Operation| match &operation.output {
            Some(Output::Value(Some(value))) => Some(value),
            _ => None,
        };
        Twins { seen: history.iter().filter_map(value).collect() }
    }

    /// Whether two operations would do the same.
    pub(super) fn are(&self, one: &Operation, other: &Operation) -> bool {
        use Input::{Del, GetSet, Set, Vanish};
        if one.output.is_some() || other.output.is_some() {
            return false;
        }
        match (&one.input, &other.input) {
            (Del | Vanish, Del | Vanish) => true,
            (Set(value) | GetSet(value), Set(other) | GetSet(other)) => {
                value == other
                    || (value.len() == other.len() && self.is_unseen(value) && self.is_unseen(other))
            }
            (one, other) => one == other,
        }
    }

    /// Whether no answer shows the value, nor anything that became of it: it only ever grew at its end.
    fn is_unseen(&self, value: &Bytes) -> bool {
        let is_integer = std::str::from_utf8(value).is_ok_and(|text| text.parse::<i64>().is_ok());
        !is_integer && !value.is_empty() && !self.seen.iter().any(|seen| seen.starts_with(value))
    }
}
