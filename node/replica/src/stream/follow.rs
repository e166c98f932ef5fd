//! A replica's side: keeps what it receives, says what to apply once it is committed.
//!
//! Does not know who is in sync.

use super::{Ack, Lead, Members, PageHead, Part, StreamConfig, log::Log};
use crate::Life;
use predis_types::planted::{self, Bug};
use predis_types::{Epoch, Sequence};

/// What a replica has: everything up to `applied` in its shard, what comes after in its log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tail<T> {
    pub(super) log: Log<T>,
    pub(super) applied: Sequence,
}

/// A copy that is being received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Receiving {
    copy: u64,
    pages: u64,
}

/// A replica of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Follow<T> {
    epoch: Epoch,
    /// The latest session that it has heard of in this epoch.
    session: u64,
    config: StreamConfig,
    tail: Tail<T>,
    /// The last entry that it is sure to share with the primary of this epoch.
    matched: Sequence,
    /// The last entry that a primary was known to have, the last one that was heard of, and its epoch.
    known: (Epoch, Sequence),
    receiving: Option<Receiving>,
}

/// What to do with a part, in this order: begin empty, apply, take the page up, answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Received<T> {
    /// Whether the copy begins anew, empty, before anything else.
    pub begin_empty: bool,
    /// The entries to apply now, in order.
    pub apply: Vec<T>,
    /// Whether the part's page is to be taken up after that; report with [`Follow::took`].
    pub page: bool,
}

impl<T: Clone> Follow<T> {
    /// A replica that has nothing.
    pub fn new(epoch: Epoch, config: StreamConfig) -> Follow<T> {
        Follow::with(epoch, Tail { log: Log::new(Sequence(0)), applied: Sequence(0) }, config)
    }

    pub(super) fn with(epoch: Epoch, tail: Tail<T>, config: StreamConfig) -> Follow<T> {
        let (matched, known) = (tail.applied, (epoch, tail.log.last()));
        Follow { epoch, session: 0, config, tail, matched, known, receiving: None }
    }

    /// The epoch whose primary it listens to.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last entry that it has.
    pub fn last(&self) -> Sequence {
        self.tail.log.last()
    }

    /// The last entry that its latest primary is known to have had.
    pub fn known(&self) -> Sequence {
        self.known.1
    }

    /// The last entry that it applied.
    pub fn applied(&self) -> Sequence {
        self.tail.applied
    }

    /// Whether its copy is whole.
    pub fn is_whole(&self) -> bool {
        self.receiving.is_none()
    }

    /// What its log takes, in bytes.
    pub fn log_bytes(&self) -> usize {
        self.tail.log.size_bytes()
    }

    /// Another epoch began, and all that it has applied is committed: that stays. For what it has not applied it has
    /// to be seen whether the new primary has it too; unless it is `in_sync` that is worth nothing.
    #[must_use]
    pub fn again(mut self, epoch: Epoch, in_sync: bool) -> Follow<T> {
        (self.epoch, self.session, self.matched) = (epoch, 0, self.tail.applied);
        if !in_sync {
            self.tail.log.truncate(self.tail.applied);
        }
        self
    }

    /// It becomes primary. Returns what is to be applied first, in order, and how many entries are lost at least: of
    /// those the last primary is known to have had.
    pub fn promote(self, me: Life, epoch: Epoch, members: Members, now: u64) -> (Lead<T>, Vec<T>, u64) {
        let Tail { log, applied } = self.tail;
        let behind: Vec<T> = log.from(applied.next()).map(|entry| entry.payload.clone()).collect();
        let lost = self.known.1.0.saturating_sub(log.last().0);
        (Lead::with(me, epoch, (log, applied), members, now, self.config), behind, lost)
    }

    /// What to do with a part of the primary of this epoch.
    pub fn receive(&mut self, part: &Part<T>) -> Received<T> {
        let mut received = Received { begin_empty: false, apply: Vec::new(), page: false };
        if part.session < self.session {
            return received;
        }
        self.session = part.session;
        self.known = self.known.max((part.epoch, part.last));
        self.take_in(part);
        if let Some(head) = part.page {
            received.begin_empty = self.begin(head);
            received.page = self.is_next(head);
        }
        received.apply = self.commit(part.committed);
        received
    }

    /// The page `head` was taken up; `ends` if it was the last one.
    pub fn took(&mut self, head: PageHead, ends: bool) {
        if self.is_next(head) {
            let receiving = Receiving { copy: head.copy, pages: head.index + 1 };
            self.receiving = (!ends).then_some(receiving);
        }
    }

    /// What to answer.
    pub fn ack(&self) -> Ack {
        let copying = self.receiving.map(|receiving| (receiving.copy, receiving.pages));
        Ack { session: self.session, matched: self.matched, copying }
    }

    fn take_in(&mut self, part: &Part<T>) {
        for (at, entry) in (part.first.0..).map(Sequence).zip(&part.entries) {
            if at <= self.matched {
                continue;
            }
            if at > self.matched.next() && !planted::active(Bug::LogGapIgnored) {
                return;
            }
            let log = &mut self.tail.log;
            if log.get(at).is_none_or(|known| known.epoch != entry.epoch) {
                log.truncate(Sequence(at.0.saturating_sub(1)));
                log.push(entry.clone());
            }
            self.matched = self.matched.next();
        }
    }

    /// Whether a page begins a copy, which it then is the first of.
    fn begin(&mut self, head: PageHead) -> bool {
        let known = self.receiving.is_some_and(|receiving| receiving.copy >= head.copy);
        if head.index != 0 || known || self.matched >= head.at && self.receiving.is_none() {
            return false;
        }
        self.tail = Tail { log: Log::new(head.at), applied: head.at };
        (self.matched, self.receiving) = (head.at, Some(Receiving { copy: head.copy, pages: 0 }));
        true
    }

    /// Whether a page is the one that comes next.
    fn is_next(&self, head: PageHead) -> bool {
        self.matched == head.at && self.receiving == Some(Receiving { copy: head.copy, pages: head.index })
    }

    /// What to apply, `committed` being so. While a copy is made nothing waits: in any other epoch it is worth
    /// nothing.
    fn commit(&mut self, committed: Sequence) -> Vec<T> {
        let upto = if self.receiving.is_some() { self.matched } else { committed.min(self.matched) };
        let first = self.tail.applied.next();
        let count = upto.0.saturating_sub(self.tail.applied.0);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut apply: Vec<T> = self.tail.log.from(first).take(count).map(|e| e.payload.clone()).collect();
        self.tail.applied = Sequence(self.tail.applied.0 + apply.len() as u64);
        if planted::active(Bug::SnapshotWithoutTail) && self.receiving.is_some() {
            apply.clear();
        }
        self.tail.log.trim(self.tail.applied, self.config.keep_bytes);
        apply
    }
}
