//! Replication of one partition: a primary's stream of changes, and what replicas make of it.
//!
//! ```text
//! append -> Lead --Part{entries, committed}--> Follow -> what to apply, up to committed
//!            |  ^                                 |
//!            |  '------------Ack{matched}---------'
//!            '-> which changes of the in-sync set to propose; what is committed
//! ```
//! PacificA (Lin et al., MSR-TR-2008-25): an entry is committed once every in-sync replica has it, so any of them
//! may become primary. Whoever does keeps its whole log, applies what is behind the committed part, and proposes
//! that again under the new epoch; others replace theirs where it differs, entry by entry, never before they have
//! what takes its place. A replica that is to join counts for commitment from the moment its joining is proposed.
//!
//! There is at most one part under way to a replica; the caller says what came of it. Parts may be lost, repeated
//! and late. Whenever it is not known what became of one, or whether the replica still is what it was, a new session
//! begins: in it the replica hears nothing of earlier ones any more, and its primary takes no answers to them.
//! Knows no sockets, no Raft library, no data: entries are the caller's.

mod follow;
mod freshness;
mod lead;
mod log;
mod peer;
#[cfg(test)]
mod tests;

pub use follow::{Follow, Received};
pub use freshness::Freshness;
pub use lead::{Lead, SetChange};
pub use log::Entry;

use crate::Life;
use predis_types::{Epoch, Sequence, TenantId};
use std::collections::BTreeSet;

/// What a stream is patient with, and what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamConfig {
    /// Entries that every replica has are kept up to so many bytes, for those that come back.
    pub keep_bytes: usize,
    /// Entries are kept up to so many bytes for a replica that does not have them yet.
    pub most_bytes: usize,
    /// How long an in-sync replica may owe an answer before it is taken out, in microseconds.
    pub patience_us: u64,
    /// How long after a change of the in-sync set whose outcome is unknown it is proposed again, in microseconds.
    pub retry_us: u64,
    /// About how many bytes a page of a copy has; more if a single key has more.
    pub page_bytes: u64,
}

impl Default for StreamConfig {
    /// 256 KiB and 64 MiB, one second, 300 ms, 64 KiB.
    fn default() -> Self {
        StreamConfig {
            keep_bytes: 256 << 10,
            most_bytes: 64 << 20,
            patience_us: 1_000_000,
            retry_us: 300_000,
            page_bytes: 64 << 10,
        }
    }
}

/// Who holds a partition, as the applied state has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Members {
    /// Grows with every change of the sets.
    pub version: u64,
    /// How often the partition began empty after it had been served: what was before is none of what is after.
    pub lost: u64,
    /// Whether it did not begin empty when it was last lost, but, by somebody's decision, with the copy that its new
    /// primary had: for that one alone what was before is the beginning of what is after.
    pub recovered: bool,
    /// Whose copies hold everything that is committed.
    pub in_sync: BTreeSet<Life>,
    /// Who should hold a copy and is up, the primary and those in sync included.
    pub seated: BTreeSet<Life>,
    /// Who of those holds one that nobody waits for: they do not join the in-sync set, and leave it, where they are in
    /// it, once all others are.
    pub apart: BTreeSet<Life>,
}

/// A place in the order in which a copy is made: by tenant, then by hash position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The tenant.
    pub tenant: TenantId,
    /// The hash position from which on it is not copied yet.
    pub position: u64,
}

/// What a primary tells one replica of one partition. For that replica alone, in this life, and only once it has
/// applied as much of what is agreed as its primary had when the part was made: by less it may answer for a copy that it
/// is about to lose.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part<T> {
    /// The epoch in which it speaks.
    pub epoch: Epoch,
    /// In which session: a replica that has heard of a later one takes nothing of this.
    pub session: u64,
    /// The sequence of the first of `entries`; 0 when it only asks what the replica has.
    pub first: Sequence,
    /// Entries in order, without gaps.
    pub entries: Vec<Entry<T>>,
    /// What is committed.
    pub committed: Sequence,
    /// The last entry that the primary has.
    pub last: Sequence,
    /// The page that follows the entries, to be filled in by the caller before anything else changes.
    pub page: Option<PageHead>,
}

/// Which page of a copy this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageHead {
    /// Which copy, of those that this primary made in this epoch. From 1.
    pub copy: u64,
    /// Which of its pages. From 0; the first tells the replica to begin empty.
    pub index: u64,
    /// The last entry whose effects the page shows.
    pub at: Sequence,
    /// Where it begins.
    pub from: Cursor,
}

/// What a replica has, as it answers a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ack {
    /// The latest session that it has heard of.
    pub session: u64,
    /// The last entry that it is sure to share with the primary.
    pub matched: Sequence,
    /// The copy that is being made and how many pages of it are there; `None`: its copy is whole, if only of an
    /// empty partition's beginning.
    pub copying: Option<(u64, u64)>,
}
