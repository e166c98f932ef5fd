//! What happens to a partition while it is read for a backup: its changes, collected within bounds.
//!
//! Lies with the primary's stream and ends with it. Knows neither what a change says nor who reads.

use bytes::Bytes;

/// How much a tap holds, in bytes of memory.
pub(super) const TAP_BYTES: usize = 64 << 20;

/// The changes since the reading began.
pub(super) struct Tap {
    changes: Vec<Bytes>,
    left_bytes: usize,
    is_over: bool,
}

impl Tap {
    /// One that takes so many bytes.
    pub(super) fn new(limit_bytes: usize) -> Tap {
        Tap { changes: Vec::new(), left_bytes: limit_bytes, is_over: false }
    }

    /// Takes one change more; beyond what it may hold it drops everything, and is of no use any more.
    pub(super) fn add(&mut self, change: &Bytes, size_bytes: usize) {
        if self.is_over {
            return;
        }
        match self.left_bytes.checked_sub(size_bytes) {
            Some(left_bytes) => {
                self.left_bytes = left_bytes;
                self.changes.push(change.clone());
            }
            None => {
                self.is_over = true;
                self.changes = Vec::new();
            }
        }
    }

    /// Whether there was more than it may hold.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The changes, in order.
    pub(super) fn into_changes(self) -> Vec<Bytes> {
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_everything_or_nothing() {
        let mut tap = Tap::new(10);
        let change = Bytes::from_static(b"c");
        tap.add(&change, 4);
        tap.add(&change, 6);
        assert!(!tap.is_over());
        tap.add(&change, 1);
        tap.add(&change, 0);
        assert!(tap.is_over() && tap.into_changes().is_empty());
    }
}
