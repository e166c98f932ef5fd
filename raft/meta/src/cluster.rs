//! What is fixed when a cluster is created.
//!
//! Knows nothing of who is a member or where partitions lie.

use predis_types::{ClusterId, PartitionCount};
use serde::{Deserialize, Serialize};

/// The facts of a cluster that never change after its creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterInfo {
    /// Which cluster this is: a node refuses to join another one with the same data directory.
    pub id: ClusterId,
    /// When it was created, in milliseconds since the Unix epoch, by the founder's clock.
    pub created_at_ms: u64,
    /// How many partitions the slots are cut into.
    pub partitions: PartitionCount,
    /// How many replicas, primary included, a partition should have: 1 to `MAX_COPIES`.
    pub copies: u8,
    /// The key of the hash that orders keys within a partition, the same on every node so that a scan
    /// position survives a change of primary.
    pub hash_key: [u64; 2],
}
