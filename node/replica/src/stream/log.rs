//! The entries of one partition that are kept: a run without gaps, at both ends of a stream.
//!
//! Does not know what an entry says, nor which entries are committed.

use predis_types::{Epoch, Sequence};
use std::collections::VecDeque;

/// One change. What `payload` says is the caller's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry<T> {
    /// The epoch of the primary that made it. (epoch, sequence) names an entry for good.
    pub epoch: Epoch,
    /// What it takes in memory, in bytes.
    pub size_bytes: usize,
    /// What it says.
    pub payload: T,
}

/// Entries `base + 1 ..= last`, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Log<T> {
    base: u64,
    entries: VecDeque<Entry<T>>,
    size_bytes: usize,
}

impl<T: Clone> Log<T> {
    /// No entries; the next one is `base + 1`.
    pub(super) fn new(base: Sequence) -> Log<T> {
        Log { base: base.0, entries: VecDeque::new(), size_bytes: 0 }
    }

    /// The sequence before the first entry that is kept.
    pub(super) fn base(&self) -> Sequence {
        Sequence(self.base)
    }

    /// The sequence of the last entry; the base when there is none.
    pub(super) fn last(&self) -> Sequence {
        Sequence(self.base + self.entries.len() as u64)
    }

    /// The memory of all entries, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(super) fn push(&mut self, entry: Entry<T>) {
        self.size_bytes += entry.size_bytes;
        self.entries.push_back(entry);
    }

    /// Counts an entry that nobody will ever ask for.
    pub(super) fn skip(&mut self) {
        *self = Log::new(self.last().next());
    }

    pub(super) fn get(&self, at: Sequence) -> Option<&Entry<T>> {
        let index = at.0.checked_sub(self.base + 1)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// The entries from `first` on that are kept.
    pub(super) fn from(&self, first: Sequence) -> impl Iterator<Item = &Entry<T>> {
        let index = usize::try_from(first.0.saturating_sub(self.base + 1)).unwrap_or(usize::MAX);
        self.entries.range(index.min(self.entries.len())..)
    }

    /// Forgets everything behind `last`.
    pub(super) fn truncate(&mut self, last: Sequence) {
        while self.last() > last
            && let Some(entry) = self.entries.pop_back()
        {
            self.size_bytes -= entry.size_bytes;
        }
    }

    /// Forgets the oldest entries, none behind `upto`, until no more than `keep_bytes` are left.
    pub(super) fn trim(&mut self, upto: Sequence, keep_bytes: usize) {
        while self.size_bytes > keep_bytes
            && self.base < upto.0
            && let Some(entry) = self.entries.pop_front()
        {
            self.size_bytes -= entry.size_bytes;
            self.base += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(payload: u64) -> Entry<u64> {
        Entry { epoch: Epoch(1), size_bytes: 10, payload }
    }

    #[test]
    fn keeps_a_run_and_forgets_at_both_ends() {
        let mut log = Log::new(Sequence(5));
        (6..=9).for_each(|payload| log.push(entry(payload)));
        assert_eq!((log.base(), log.last(), log.size_bytes()), (Sequence(5), Sequence(9), 40));
        assert_eq!(log.get(Sequence(6)).unwrap().payload, 6);
        assert!(log.get(Sequence(5)).is_none() && log.get(Sequence(10)).is_none());
        let from = |log: &Log<u64>, at| log.from(Sequence(at)).map(|e| e.payload).collect::<Vec<_>>();
        assert_eq!(from(&log, 8), [8, 9]);
        assert_eq!(from(&log, 1), [6, 7, 8, 9]);
        assert!(from(&log, 10).is_empty());
        log.truncate(Sequence(8));
        log.trim(Sequence(7), 0);
        assert_eq!((log.base(), log.last(), log.size_bytes()), (Sequence(7), Sequence(8), 10));
        log.trim(Sequence(100), 10);
        assert_eq!(log.base(), Sequence(7), "within what may be kept");
        log.skip();
        assert_eq!((log.base(), log.last(), log.size_bytes()), (Sequence(9), Sequence(9), 0));
    }
}
