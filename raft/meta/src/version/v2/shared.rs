//! The shapes of version 2 that occur in both its state and its commands. Frozen.

use crate::version::v3 as next;
use predis_types::{ClusterId, Incarnation, NodeId, PartitionCount, TenantId};
use serde::Deserialize;

/// The weight of a member that asked for no other.
pub(crate) const DEFAULT_WEIGHT: u32 = 100;

#[derive(Deserialize)]
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

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Addresses {
    pub(crate) resp: String,
    pub(crate) grpc: String,
    pub(crate) metrics: String,
}

impl Addresses {
    pub(super) fn into_next(self) -> next::Addresses {
        let Addresses { resp, grpc, metrics } = self;
        next::Addresses { resp, grpc, metrics }
    }
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
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

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ack {
    Async,
    Quorum,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantSettings {
    pub(crate) ack: Ack,
    pub(crate) policy: String,
    pub(crate) memory_bytes: Option<u64>,
}

impl TenantSettings {
    pub(super) fn into_next(self) -> next::TenantSettings {
        let TenantSettings { ack, policy, memory_bytes } = self;
        let ack = match ack {
            Ack::Async => next::Ack::Async,
            Ack::Quorum => next::Ack::Quorum,
        };
        next::TenantSettings { ack, policy, memory_bytes, max_ops_per_second: None, max_connections: None }
    }
}

#[derive(Deserialize)]
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
