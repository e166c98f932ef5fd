//! Role leases: who may act as one of the cluster's singletons.
//!
//! Knows who holds a role until when by the proposers' clocks. Clocks differ, so the fencing token, not the
//! time, is what keeps an old holder from doing harm.

use crate::Replica;
use serde::{Deserialize, Serialize};

/// One role as it is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleLease {
    /// Who holds it.
    pub holder: Replica,
    /// Grows with every new grant of any role; whatever the holder changes must carry it.
    pub token: u64,
    /// Until when others keep away, in milliseconds since the Unix epoch.
    pub until_ms: u64,
}
