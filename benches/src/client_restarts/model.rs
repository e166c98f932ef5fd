//! What one key may hold, given what was answered and what was not.
//!
//! Knows nothing of commands or of failures: an answer settles, a missing answer leaves something open.

/// A key that holds numbered values; `None` is no value.
#[derive(Debug, Default)]
pub(crate) struct Register {
    settled: Option<u64>,
    /// Writes whose outcome is unknown: each may take effect at any time, once, or never.
    open: Vec<Option<u64>>,
}

/// What a reading means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It may be so.
    Right,
    /// It may be so if the value was lost.
    Gone,
    /// It cannot be so.
    Wrong,
}

impl Register {
    /// A write was answered for.
    pub(crate) fn wrote(&mut self, value: Option<u64>) {
        self.settled = value;
    }

    /// A write may have happened, or may yet.
    pub(crate) fn may_have_written(&mut self, value: Option<u64>) {
        self.open.push(value);
    }

    /// The value was read.
    pub(crate) fn read(&mut self, value: Option<u64>) -> Reading {
        if value == self.settled {
            return Reading::Right;
        }
        let reading = match self.open.iter().position(|open| *open == value) {
            Some(at) => {
                self.open.remove(at);
                Reading::Right
            }
            None if value.is_none() => Reading::Gone,
            None => return Reading::Wrong,
        };
        self.settled = value;
        reading
    }

    /// It was said whether there is a value.
    pub(crate) fn exists(&mut self, exists: bool) -> Reading {
        if exists == self.settled.is_some() {
            return Reading::Right;
        }
        match self.open.iter().any(|open| open.is_some() == exists) {
            // Which of them it is, is not known: none is settled.
            true => Reading::Right,
            false if !exists => self.read(None),
            false => Reading::Wrong,
        }
    }
}

/// A key that is only ever incremented.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    settled: u64,
    /// Increments whose outcome is unknown.
    open: u64,
}

impl Counter {
    /// An increment was answered for.
    pub(crate) fn incremented(&mut self, to: u64) -> Reading {
        let (least, most) = (self.settled + 1, self.settled + 1 + self.open);
        let (reading, counted) = match to {
            _ if (least..=most).contains(&to) => (Reading::Right, to - least),
            // It began anew.
            _ if (1..=1 + self.open).contains(&to) => (Reading::Gone, to - 1),
            _ => return Reading::Wrong,
        };
        self.settled = to;
        self.open -= counted;
        reading
    }

    /// An increment may have happened, or may yet.
    pub(crate) fn may_have_incremented(&mut self) {
        self.open += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_can_be_read() {
        let mut register = Register::default();
        assert_eq!(register.read(Some(1)), Reading::Wrong);
        register.wrote(Some(1));
        register.may_have_written(Some(2));
        assert_eq!(register.read(Some(1)), Reading::Right);
        assert_eq!(register.read(Some(2)), Reading::Right, "the open write happened");
        assert_eq!(register.read(Some(1)), Reading::Wrong, "it does not come back");
        register.wrote(Some(3));
        assert_eq!(register.read(Some(2)), Reading::Wrong, "an open write happens once");
        assert_eq!(register.exists(false), Reading::Gone);
        assert_eq!(register.exists(true), Reading::Wrong);
        assert_eq!(register.read(None), Reading::Right, "what is gone stays gone");
    }

    #[test]
    fn increments_happen_once() {
        let mut counter = Counter::default();
        assert_eq!(counter.incremented(1), Reading::Right);
        assert_eq!(counter.incremented(3), Reading::Wrong);
        counter.may_have_incremented();
        assert_eq!(counter.incremented(3), Reading::Right);
        assert_eq!(counter.incremented(5), Reading::Wrong, "the open one is used up");
        assert_eq!(counter.incremented(1), Reading::Gone);
        assert_eq!(counter.incremented(2), Reading::Right);
    }
}
