//! The shapes of version 3 that occur in both its state and its commands. Frozen.

use crate as next;
use predis_types::{ClusterId, Incarnation, NodeId, PartitionCount, TenantId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterInfo {
    pub(crate) id: ClusterId,
    pub(crate) created_at_ms: u64,
    pub(crate) partitions: PartitionCount,
    pub(crate) copies: u8,
    pub(crate) hash_key: [u64; 2],
}

impl ClusterInfo {
    pub(super) fn into_next(self) -> next::ClusterInfo {
        let ClusterInfo { id, created_at_ms, partitions, copies, hash_key } = self;
        next::ClusterInfo { id, created_at_ms, partitions, copies, hash_key }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replica {
    pub(crate) node: NodeId,
    pub(crate) incarnation: Incarnation,
}

impl Replica {
    pub(super) fn into_next(self) -> next::Replica {
        next::Replica { node: self.node, incarnation: self.incarnation }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Addresses {
    pub(crate) resp: String,
    pub(crate) grpc: String,
    pub(crate) metrics: String,
}

impl Addresses {
    /// The addresses alone, and the version that whoever stated them understands.
    pub(crate) fn into_next(self) -> (next::Addresses, u32) {
        let Addresses { resp, grpc, metrics } = self;
        match understanding(&metrics) {
            Some((metrics, version)) => {
                let metrics = metrics.to_owned();
                (next::Addresses { resp, grpc, metrics }, version)
            }
            None => (next::Addresses { resp, grpc, metrics }, 3),
        }
    }
}

/// The address and the version of `ADDRESS;VERSION`, from version 4 on.
pub(crate) fn understanding(metrics: &str) -> Option<(&str, u32)> {
    let (address, said) = metrics.rsplit_once(';')?;
    let version: u32 = said.parse().ok().filter(|version| *version > 3)?;
    // Only what would be written the same again.
    (!address.is_empty() && version.to_string() == said).then_some((address, version))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    Active,
    Draining,
    Leaving,
}

impl Mode {
    pub(super) fn into_next(self) -> next::Mode {
        match self {
            Mode::Active => next::Mode::Active,
            Mode::Draining => next::Mode::Draining,
            Mode::Leaving => next::Mode::Leaving,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TenantPlacement {
    Spread,
    Colocated,
}

impl TenantPlacement {
    pub(super) fn into_next(self) -> next::TenantPlacement {
        match self {
            TenantPlacement::Spread => next::TenantPlacement::Spread,
            TenantPlacement::Colocated => next::TenantPlacement::Colocated,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ack {
    Async,
    Quorum,
}

impl Ack {
    fn into_next(self) -> next::Ack {
        match self {
            Ack::Async => next::Ack::Async,
            Ack::Quorum => next::Ack::Quorum,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantSettings {
    pub(crate) ack: Ack,
    pub(crate) policy: String,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) max_ops_per_second: Option<u64>,
    pub(crate) max_connections: Option<u64>,
}

impl TenantSettings {
    pub(super) fn into_next(self) -> next::TenantSettings {
        let TenantSettings { ack, policy, memory_bytes, max_ops_per_second, max_connections } = self;
        let ack = ack.into_next();
        next::TenantSettings { ack, policy, memory_bytes, max_ops_per_second, max_connections }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenant {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) placement: TenantPlacement,
    pub(crate) settings: TenantSettings,
}

impl NewTenant {
    pub(super) fn into_next(self) -> next::NewTenant {
        let (placement, settings) = (self.placement.into_next(), self.settings.into_next());
        next::NewTenant { id: self.id, name: self.name, placement, settings }
    }
}
