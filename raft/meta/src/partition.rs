//! Who holds one partition: seats, primary, in-sync set, and the numbers that order their changes.
//!
//! Knows nothing of the data, nor of which slots the partition covers.
//!
//! ```text
//! seats (where copies should be)  >=  in-sync set (whose copies count)  >=  primary (who writes)
//! ```

use predis_types::{Epoch, Incarnation, NodeId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// One boot of one node as a holder of data. Memory dies with the process, so holding is by incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// The node.
    pub node: NodeId,
    /// Which of its boots.
    pub incarnation: Incarnation,
}

impl fmt::Display for Replica {
    /// `node/incarnation`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.incarnation)
    }
}

/// The agreed holders of one partition.
///
/// Invariants: seats are distinct members; every in-sync replica is seated, up, and of its node's current
/// incarnation; the primary is in sync and its seat comes first; epoch 0 means never served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionState {
    /// Grows by exactly one whenever `primary` changes, also to or from none, or is promoted anew.
    pub epoch: Epoch,
    /// Who may serve, given a lease; none while nobody was chosen after the last one was lost.
    pub primary: Option<Replica>,
    /// Where copies should be, the primary's seat first.
    pub replicas: Vec<NodeId>,
    /// Whose copies hold every acknowledged write.
    pub in_sync: BTreeSet<Replica>,
    /// The set version: grows by one with every command that changes `replicas` or `in_sync`.
    pub version: u64,
    /// How often it was restarted empty after it had been served.
    pub lost: u64,
    /// When that last happened, in milliseconds since the Unix epoch.
    pub lost_at_ms: Option<u64>,
}

impl PartitionState {
    /// Whether the node has a seat.
    pub fn is_seated(&self, node: NodeId) -> bool {
        self.replicas.contains(&node)
    }

    /// Whether nobody is left who holds the data: only a restart, empty, can bring it back.
    pub fn is_vacant(&self) -> bool {
        self.primary.is_none() && self.in_sync.is_empty()
    }
}
