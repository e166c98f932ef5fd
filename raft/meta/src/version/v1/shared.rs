//! The shapes of version 1 that occur in both its state and its commands. Frozen.

use crate::version::v2 as next;
use predis_types::{ClusterId, Incarnation, NodeId, PartitionCount, TenantId};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterInfo {
    id: ClusterId,
    created_at_ms: u64,
    partitions: PartitionCount,
    copies: u8,
    hash_key: [u64; 2],
}

impl ClusterInfo {
    pub(super) fn into_next(self) -> next::ClusterInfo {
        let ClusterInfo { id, created_at_ms, partitions, copies, hash_key } = self;
        next::ClusterInfo { id, created_at_ms, partitions, copies, hash_key }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replica {
    node: NodeId,
    incarnation: Incarnation,
}

impl Replica {
    pub(super) fn into_next(self) -> next::Replica {
        next::Replica { node: self.node, incarnation: self.incarnation }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
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
pub(super) enum TenantPlacement {
    Spread,
    Colocated,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ack {
    Async,
    Quorum,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTenant {
    id: TenantId,
    name: String,
    placement: TenantPlacement,
    ack: Ack,
    policy: String,
    memory_bytes: Option<u64>,
}

impl NewTenant {
    pub(super) fn into_next(self) -> next::NewTenant {
        let settings = settings(self.ack, self.policy, self.memory_bytes);
        next::NewTenant { id: self.id, name: self.name, placement: self.placement.into_next(), settings }
    }
}

impl TenantPlacement {
    pub(super) fn into_next(self) -> next::TenantPlacement {
        match self {
            TenantPlacement::Spread => next::TenantPlacement::Spread,
            TenantPlacement::Colocated => next::TenantPlacement::Colocated,
        }
    }
}

pub(super) fn settings(ack: Ack, policy: String, memory_bytes: Option<u64>) -> next::TenantSettings {
    let ack = match ack {
        Ack::Async => next::Ack::Async,
        Ack::Quorum => next::Ack::Quorum,
    };
    next::TenantSettings { ack, policy, memory_bytes }
}

/// Version 1 knew the RESP address alone: gRPC was served 1000 ports above it, metrics 2000 above. An address
/// without a usable port stands for all three until the node boots and states them.
pub(super) fn addresses(resp: String) -> next::Addresses {
    let split = resp.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let above = |ports: u16| {
        let shifted = split.and_then(|(host, port)| Some(format!("{host}:{}", port.checked_add(ports)?)));
        shifted.unwrap_or_else(|| resp.clone())
    };
    let (grpc, metrics) = (above(1000), above(2000));
    next::Addresses { resp, grpc, metrics }
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn one_address_becomes_three() {
        for (old, grpc, metrics) in [
            ("h:6379", "h:7379", "h:8379"),
            ("[::1]:6379", "[::1]:7379", "[::1]:8379"),
            ("h:64000", "h:65000", "h:64000"),
            ("h", "h", "h"),
        ] {
            let new = addresses(old.to_owned());
            assert_eq!((new.resp.as_str(), new.grpc.as_str(), new.metrics.as_str()), (old, grpc, metrics));
        }
    }
}
