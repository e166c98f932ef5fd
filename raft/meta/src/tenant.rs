//! A tenant: a namespace and its settings.
//!
//! Whether a policy name means anything is for the node to say, because two versions of the code may know
//! different policies. Who may use a tenant is for its users.

use crate::worded::worded;
use predis_types::TenantId;
use serde::{Deserialize, Serialize};

worded! {
    /// How a tenant's keys are laid over partitions. Fixed when the tenant is created.
    TenantPlacement: "placement" {
        /// By slot, over all partitions.
        Spread = "spread",
        /// All in one partition, for programs that use multi-key transactions and scripts.
        Colocated = "colocated",
    }
}

worded! {
    /// When a write is acknowledged.
    Ack: "ack" {
        /// As soon as the primary executed it.
        Async = "async",
        /// When it is committed in the in-sync set.
        Quorum = "quorum",
    }
}

/// What may be changed about a tenant; always replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// When its writes are acknowledged.
    pub ack: Ack,
    /// Its eviction policy's name, lower case, as nodes know it.
    pub policy: String,
    /// Its memory budget on each node in bytes; none means it shares what the node has left.
    pub memory_bytes: Option<u64>,
    /// How many commands a second its users may have executed on each node; none means no limit.
    pub max_ops_per_second: Option<u64>,
    /// How many connections its users may have on each node; none means no limit but the node's.
    pub max_connections: Option<u64>,
}

impl TenantSettings {
    /// Settings without a budget or a quota.
    pub fn unlimited(ack: Ack, policy: &str) -> TenantSettings {
        let policy = policy.to_owned();
        TenantSettings { ack, policy, memory_bytes: None, max_ops_per_second: None, max_connections: None }
    }
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its id, never used again after it is removed.
    pub id: TenantId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// How its keys are laid over partitions.
    pub placement: TenantPlacement,
    /// What may be changed about it.
    pub settings: TenantSettings,
    /// When it was created, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
}

/// What a proposer states to create a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// The id it gets: the state's `next_tenant_id`, 0 for the default tenant of a new cluster.
    pub id: TenantId,
    /// 1 to 64 bytes of letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// How its keys are laid over partitions.
    pub placement: TenantPlacement,
    /// Its settings to begin with.
    pub settings: TenantSettings,
}

impl NewTenant {
    /// The tenant at the moment it is created.
    pub(crate) fn into_tenant(self, at_ms: u64) -> Tenant {
        Tenant {
            id: self.id,
            name: self.name,
            placement: self.placement,
            settings: self.settings,
            created_at_ms: at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_name_the_rule_when_wrong() {
        for ack in [Ack::Async, Ack::Quorum] {
            assert_eq!(ack.to_string().parse::<Ack>().unwrap(), ack);
        }
        let error = "fast".parse::<Ack>().unwrap_err();
        assert_eq!(error, "ack must be one of async quorum, got \"fast\"");
    }
}
