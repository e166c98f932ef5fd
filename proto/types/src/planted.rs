//! Planted bugs: test-only switches at the decision points that keep a promise.
//!
//! The chaos suite turns one on, and the invariant that guards the promise must notice. Without the
//! `planted` feature [`active`] is a constant `false` and the switch compiles to nothing.

/// A bug that can be planted, each named after the rule it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// The Raft store answers that a vote is saved without writing it.
    VoteNotPersisted,
    /// The Raft store acknowledges appended entries before they are synced.
    AckBeforeSync,
    /// The Raft store goes on after a sync that failed.
    SyncErrorIgnored,
    /// A metadata read is answered from local state without asking a majority who leads.
    ReadWithoutQuorum,
    /// One node applies a command differently from the others.
    DivergentApply,
    /// A node goes on serving after its lease ran out.
    LeaseIgnored,
    /// A lease is counted from the answer's arrival instead of the request's sending.
    LeaseFromReceipt,
    /// A node that boots keeps the incarnation it had, and so its primaryships.
    IncarnationReused,
    /// A write under quorum is acknowledged before the in-sync set has it.
    AckBeforeInSync,
    /// A replica takes in an entry though the ones before it are missing.
    LogGapIgnored,
    /// A primary counts a smaller in-sync set before that is agreed on.
    ShrinkWithoutCommit,
    /// A copy is taken to be whole without the changes that happened while it was made.
    SnapshotWithoutTail,
    /// A primary gives its partition away without waiting for what it did last to be at the other one.
    MoveDropsLateWrites,
    /// A lease is held against the wall clock, which may be set back.
    LeaseOnWallClock,
    /// A key is served for two seconds after its time has come.
    ExpiryLate,
    /// A replica counts a time to live anew from when it hears of it.
    ExpiryRebased,
}

impl Bug {
    /// Every bug that can be planted.
    pub const ALL: [Bug; 16] = [
        Bug::VoteNotPersisted,
        Bug::AckBeforeSync,
        Bug::SyncErrorIgnored,
        Bug::ReadWithoutQuorum,
        Bug::DivergentApply,
        Bug::LeaseIgnored,
        Bug::LeaseFromReceipt,
        Bug::IncarnationReused,
        Bug::AckBeforeInSync,
        Bug::LogGapIgnored,
        Bug::ShrinkWithoutCommit,
        Bug::SnapshotWithoutTail,
        Bug::MoveDropsLateWrites,
        Bug::LeaseOnWallClock,
        Bug::ExpiryLate,
        Bug::ExpiryRebased,
    ];
}

#[cfg(feature = "planted")]
mod switch {
    use super::Bug;
    use std::cell::Cell;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants one bug, or none, on this thread. A simulation runs on one thread.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.with(|planted| planted.set(bug));
    }

    /// Whether the bug is planted on this thread.
    pub fn active(bug: Bug) -> bool {
        PLANTED.with(|planted| planted.get() == Some(bug))
    }
}

#[cfg(feature = "planted")]
pub use switch::{active, plant};

/// Whether the bug is planted on this thread: never, in a build without the `planted` feature.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn active(_bug: Bug) -> bool {
    false
}
