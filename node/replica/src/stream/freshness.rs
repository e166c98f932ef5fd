//! How far behind its primary a replica's copy may be, and whether it shows only what is committed.
//!
//! ```text
//! replica: answers, at its time t --> primary --> next part: made after t, says which entry was the last then
//! replica: has applied that entry  -> it has everything that the primary had at t
//! ```
//! Times are the replica's alone: it learns that a part was made after a moment of its own clock because its primary
//! had an answer of that moment by then. So what is said of staleness is a bound, whatever clocks and networks do.
//! Only parts of a primary that could answer for the partition when it made them count. Knows no lease and no clock.

use super::{Follow, Part};
use predis_types::Sequence;

/// What a replica knows of how fresh its copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Freshness {
    /// What is known to be committed, of this epoch's sequence.
    committed: Sequence,
    /// The last entry that the primary had, in a part that was made after this time.
    awaited: Option<(Sequence, u64)>,
    /// Everything that the primary had at this time is here.
    current_at: Option<u64>,
}

impl Freshness {
    /// The copy goes on in another epoch: all that it has applied is committed.
    #[must_use]
    pub fn again(self, applied: Sequence) -> Freshness {
        // What was the last entry then may be another one's sequence now.
        Freshness { committed: applied, awaited: None, ..self }
    }

    /// A part was taken in, with its page. `made_after`: a time, in microseconds of this replica's clock, after which
    /// it was made by a primary that could answer for the partition; `None` when there is none to be sure of.
    pub fn heard<T: Clone>(&mut self, part: &Part<T>, follow: &Follow<T>, made_after: Option<u64>) {
        self.committed = self.committed.max(part.committed);
        if !follow.is_whole() {
            (self.awaited, self.current_at) = (None, None);
            return;
        }
        let told = made_after.map(|at| (part.last, at));
        for (last, at) in self.awaited.into_iter().chain(told) {
            if follow.applied() >= last {
                self.current_at = self.current_at.max(Some(at));
                self.awaited = None;
            }
        }
        if told.is_some_and(|(last, _)| follow.applied() < last) {
            // The first that is waited for: under load there is always a later one.
            self.awaited = self.awaited.or(told);
        }
    }

    /// Whether the copy is whole and shows nothing but what is committed: then it is a beginning of what every later
    /// primary has, until the partition begins anew.
    pub fn is_clean<T: Clone>(&self, follow: &Follow<T>) -> bool {
        follow.is_whole() && follow.applied() <= self.committed
    }

    /// For how long the copy may lack something that was there, at most, in microseconds; `None`: it is not known, or
    /// the copy shows what is not committed.
    pub fn stale_us<T: Clone>(&self, follow: &Follow<T>, now: u64) -> Option<u64> {
        let current_at = self.current_at.filter(|_| self.is_clean(follow))?;
        Some(now.saturating_sub(current_at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, PageHead, StreamConfig};
    use super::*;
    use predis_types::Epoch;

    struct Replica(Follow<u64>, Freshness);

    fn part(first: u64, count: u64, committed: u64, last: u64) -> Part<u64> {
        let entry = |payload| Entry { epoch: Epoch(1), size_bytes: 1, payload };
        Part {
            epoch: Epoch(1),
            session: 1,
            first: Sequence(first),
            entries: (first..first + count).map(entry).collect(),
            committed: Sequence(committed),
            last: Sequence(last),
            page: None,
        }
    }

    impl Replica {
        fn new() -> Replica {
            Replica(Follow::new(Epoch(1), StreamConfig::default()), Freshness::default())
        }

        fn hear(&mut self, part: &Part<u64>, made_after: Option<u64>) {
            self.0.receive(part);
            self.1.heard(part, &self.0, made_after);
        }

        fn stale_at(&self, now: u64) -> Option<u64> {
            self.1.stale_us(&self.0, now)
        }
    }

    #[test]
    fn a_copy_is_as_old_as_the_answer_behind_the_part_that_it_has_caught_up_with() {
        let mut replica = Replica::new();
        assert_eq!(replica.stale_at(5), None, "nothing was heard");
        replica.hear(&part(0, 0, 0, 0), None);
        assert_eq!(replica.stale_at(5), None, "nobody vouches for it");
        replica.hear(&part(0, 0, 0, 0), Some(10));
        assert_eq!(replica.stale_at(12), Some(2));
        replica.hear(&part(1, 2, 0, 2), Some(20));
        assert_eq!(replica.stale_at(25), Some(15), "two entries are here and not committed");
        replica.hear(&part(3, 1, 2, 3), Some(30));
        assert_eq!(replica.stale_at(35), Some(15), "both are; what came after is not");
        replica.hear(&part(0, 0, 3, 3), None);
        assert_eq!(replica.stale_at(40), Some(10));
        replica.hear(&part(0, 0, 3, 3), Some(38));
        assert_eq!(replica.stale_at(40), Some(2));
        replica.hear(&part(0, 0, 3, 3), Some(36));
        assert_eq!(replica.stale_at(40), Some(2), "a late one takes nothing back");
    }

    #[test]
    fn a_copy_that_shows_what_is_not_committed_is_not_read() {
        let mut replica = Replica::new();
        replica.hear(&part(0, 0, 0, 0), Some(1));
        let head = PageHead { copy: 1, index: 0, at: Sequence(5), from: Default::default() };
        let page = Part { page: Some(head), ..part(0, 0, 3, 5) };
        replica.0.receive(&page);
        replica.1.heard(&page, &replica.0, Some(2));
        assert_eq!(replica.stale_at(3), None, "a copy in the making");
        replica.0.took(head, true);
        replica.1.heard(&page, &replica.0, Some(2));
        assert_eq!(replica.stale_at(3), None, "of what was there at 5, 4 and 5 may be lost yet");
        assert!(!replica.1.is_clean(&replica.0));
        replica.hear(&part(0, 0, 5, 5), None);
        assert_eq!(replica.stale_at(3), Some(1));
    }

    #[test]
    fn in_another_epoch_nothing_is_waited_for_that_was_in_the_one_before() {
        let mut replica = Replica::new();
        replica.hear(&part(0, 0, 0, 0), Some(10));
        replica.hear(&part(1, 1, 0, 2), Some(20));
        let Replica(follow, freshness) = replica;
        let follow = follow.again(Epoch(2), true);
        let mut again = Replica(follow, freshness.again(Sequence(0)));
        assert_eq!(again.stale_at(30), Some(20));
        let other = Part { epoch: Epoch(2), ..part(1, 0, 2, 2) };
        again.0.receive(&Part { entries: part(1, 2, 2, 2).entries, ..other.clone() });
        again.1.heard(&other, &again.0, None);
        assert_eq!(again.stale_at(30), Some(20), "entry 2 is another one now");
    }
}
