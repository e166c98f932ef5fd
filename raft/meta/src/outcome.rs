//! What an accepted command did that its proposer could not know beforehand.
//!
//! Not part of the state: answers go to whoever waits for the commit.

use predis_types::{NodeId, PartitionId, TenantId};
use serde::{Deserialize, Serialize};

/// The answer to an accepted command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It is done; there is nothing to add.
    Done,
    /// A node id was issued.
    NodeIssued {
        /// The id.
        node: NodeId,
    },
    /// A boot or a death took a node out of what it held.
    Vacated {
        /// Partitions that lost their primary, ascending.
        without_primary: Vec<PartitionId>,
        /// Partitions that lost their last in-sync replica, ascending: only a restart, empty, brings them back.
        without_survivor: Vec<PartitionId>,
    },
    /// Seats and primaries were changed.
    Placed {
        /// Partitions that were started empty after having been served, ascending.
        lost: Vec<PartitionId>,
    },
    /// In-sync sets were replaced. A leader of version 3 answers [`Outcome::Done`] to the one change it knows.
    InSync {
        /// Partitions whose change did not fit, ascending: their sets are as they were.
        refused: Vec<PartitionId>,
    },
    /// A tenant was created.
    TenantCreated {
        /// Its id.
        tenant: TenantId,
    },
    /// A role was taken or renewed.
    RoleHeld {
        /// The fencing token to act under.
        token: u64,
    },
}
