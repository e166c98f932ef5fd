//! What an observer may see from inside a node, so that invariants can be judged from the outside.
//!
//! Production installs no probe. The simulator's probe writes the trace and feeds the oracle. Nothing here
//! may change what the observed code does.

use crate::{Epoch, Incarnation, NodeId, PartitionId};

/// Something worth observing, in the order in which it happened on its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The store answered that a vote is durable.
    VoteSaved {
        /// The term voted in.
        term: u64,
        /// For whom.
        candidate: u64,
        /// Whether a majority is known to have granted it.
        committed: bool,
    },
    /// The vote found on disk at start; zeroes when there was none.
    VoteLoaded {
        /// The term voted in.
        term: u64,
        /// For whom.
        candidate: u64,
        /// Whether a majority was known to have granted it.
        committed: bool,
    },
    /// A metadata command was applied.
    Applied {
        /// Its log index.
        index: u64,
        /// The digest of the whole state after it.
        digest: u64,
    },
    /// A partition was begun empty on this node.
    Started {
        /// The partition.
        partition: PartitionId,
        /// The epoch it is served under.
        epoch: Epoch,
    },
    /// A write was acknowledged, or a read of what was written: the reply is let go.
    Acknowledged {
        /// The partition.
        partition: PartitionId,
        /// The epoch it was carried out under.
        epoch: Epoch,
        /// The last entry of the partition's sequence that the reply depends on.
        sequence: u64,
    },
    /// A lease was granted to this node.
    Leased {
        /// The incarnation that holds it.
        incarnation: Incarnation,
        /// The end, in microseconds of this node's monotonic clock.
        until_us: u64,
    },
    /// A message was sent to another member.
    Sent {
        /// The receiver.
        to: NodeId,
        /// What kind of message.
        kind: &'static str,
        /// Its size on the wire.
        size_bytes: usize,
    },
}

/// Receives the events of one node.
pub trait Probe: Send + Sync + 'static {
    /// Called where the event happened; must return at once.
    fn event(&self, event: Event);

    /// Whether it looks at all: what is costly to tell is not told to one that does not.
    fn is_watching(&self) -> bool {
        true
    }
}

/// A probe that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn event(&self, _event: Event) {}

    fn is_watching(&self) -> bool {
        false
    }
}
