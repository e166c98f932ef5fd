//! One replica as its primary sees it: what it has, and what it is to be sent next.
//!
//! Does not know the log, nor who is in sync.

use super::{Ack, Cursor};
use predis_types::Sequence;

/// How a replica is being brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// It is not known what it has: it is asked.
    Unknown,
    /// It gets entries as they come.
    Streaming,
    /// It gets a copy, page by page, and the entries in between.
    Copying(Copying),
    /// It would need a copy, and cannot get one before it has left the in-sync set.
    Unfit,
}

/// How far a copy is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Copying {
    pub(super) copy: u64,
    /// How many pages the replica is known to have.
    pub(super) pages: u64,
    /// Where the page after those begins.
    pub(super) from: Cursor,
    /// The page under way, if one is.
    pub(super) under_way: Option<UnderWay>,
}

/// A page of which it is not known whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct UnderWay {
    /// The last entry whose effects it shows.
    pub(super) at: Sequence,
    /// Where it ends; `None`: it is the last one.
    pub(super) next: Option<Cursor>,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    /// What is told and answered in another one is about a past of it.
    pub(super) session: u64,
    pub(super) stage: Stage,
    /// The last entry that it is known to have, in this epoch.
    pub(super) matched: Sequence,
    /// The last entry that it was sent, as far as nothing was lost.
    pub(super) sent: Sequence,
    /// What it was told to be committed.
    pub(super) told: Sequence,
    /// The last entry whose effects its copy may show though they were not committed when it was made; `None`: that
    /// is not known yet.
    pub(super) shows: Option<Sequence>,
    /// Since when it has owed an answer, in microseconds.
    pub(super) owes_since: Option<u64>,
}

impl Peer {
    /// One of which nothing is known yet; it owes an answer from now on.
    pub(super) fn new(session: u64, now: u64) -> Peer {
        Peer {
            session,
            stage: Stage::Unknown,
            matched: Sequence(0),
            sent: Sequence(0),
            told: Sequence(0),
            shows: None,
            owes_since: Some(now),
        }
    }

    /// Takes note of an answer. True when it needs a copy to go on, which has not begun.
    pub(super) fn answered(&mut self, ack: Ack, base: Sequence) -> bool {
        match (&mut self.stage, ack.copying) {
            (Stage::Copying(copying), Some((copy, pages))) if copy == copying.copy => {
                let ended = copying.under_way.take().and_then(|page| page.next);
                if pages == copying.pages + 1
                    && let Some(next) = ended
                {
                    (copying.pages, copying.from) = (pages, next);
                } else if pages != copying.pages {
                    return true;
                }
                self.go_on(ack.matched);
                false
            }
            (Stage::Copying(copying), None) => {
                // The last page made it whole; without it, what the replica has is too old to go on from.
                let last = copying.under_way.take().filter(|page| page.next.is_none());
                if last.is_none_or(|page| ack.matched < page.at) {
                    return true;
                }
                (self.stage, self.shows) = (Stage::Streaming, Some(ack.matched));
                self.go_on(ack.matched);
                false
            }
            (_, None) if ack.matched >= base => {
                self.stage = Stage::Streaming;
                // It may have a copy from before this one was known.
                self.shows.get_or_insert(ack.matched);
                self.go_on(ack.matched);
                false
            }
            _ => true,
        }
    }

    fn go_on(&mut self, matched: Sequence) {
        (self.matched, self.sent) = (matched, matched);
    }

    /// Begins a copy.
    pub(super) fn begin_copy(&mut self, copy: u64, at: Sequence) {
        self.stage = Stage::Copying(Copying { copy, pages: 0, from: Cursor::default(), under_way: None });
        self.go_on(at);
    }

    /// It is not known what became of what it was sent: from now on only `session` counts.
    pub(super) fn failed(&mut self, session: u64) {
        self.session = session;
        match &mut self.stage {
            Stage::Streaming => self.stage = Stage::Unknown,
            // What is under way may have arrived: the next answer tells.
            Stage::Copying(_) | Stage::Unknown | Stage::Unfit => {}
        }
        self.sent = self.matched;
    }
}
