//! The state of version 1, and what it becomes. Frozen.

use super::shared::{Ack, ClusterInfo, Mode, Replica, TenantPlacement, addresses, settings};
use crate::version::v2 as next;
use predis_types::{Epoch, Incarnation, NodeId, TenantId};
use serde::Deserialize;
use std::collections::{BTreeMap, VecDeque};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterState {
    cluster: Option<ClusterInfo>,
    nodes: BTreeMap<NodeId, Member>,
    next_node_id: NodeId,
    partitions: Vec<PartitionState>,
    tenants: BTreeMap<TenantId, Tenant>,
    next_tenant_id: TenantId,
    audit: VecDeque<AuditEntry>,
    applied_index: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    id: NodeId,
    name: String,
    addr: String,
    zone: String,
    region: String,
    mode: Mode,
    status: Status,
    incarnation: Incarnation,
    joined_at_ms: u64,
    changed_at_ms: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Up,
    Down,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartitionState {
    epoch: Epoch,
    primary: Option<Replica>,
    replicas: Vec<NodeId>,
    in_sync: Vec<Replica>,
    version: u64,
    lost: u64,
    lost_at_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tenant {
    id: TenantId,
    name: String,
    placement: TenantPlacement,
    ack: Ack,
    policy: String,
    memory_bytes: Option<u64>,
    created_at_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditEntry {
    index: u64,
    at_ms: u64,
    actor: String,
    action: String,
    subject: String,
}

impl ClusterState {
    pub(crate) fn into_next(self) -> next::ClusterState {
        next::ClusterState {
            cluster: self.cluster.map(ClusterInfo::into_next),
            nodes: self.nodes.into_iter().map(|(id, member)| (id, member.into_next())).collect(),
            next_node_id: self.next_node_id,
            partitions: self.partitions.into_iter().map(PartitionState::into_next).collect(),
            tenants: self.tenants.into_iter().map(|(id, tenant)| (id, tenant.into_next())).collect(),
            next_tenant_id: self.next_tenant_id,
            config: BTreeMap::new(),
            roles: BTreeMap::new(),
            next_fencing_token: 1,
            audit: self.audit.into_iter().map(AuditEntry::into_next).collect(),
            applied_index: self.applied_index,
        }
    }
}

impl Member {
    fn into_next(self) -> next::Member {
        next::Member {
            id: self.id,
            name: self.name,
            addrs: addresses(self.addr),
            zone: self.zone,
            region: self.region,
            weight: next::DEFAULT_WEIGHT,
            mode: self.mode.into_next(),
            status: match self.status {
                Status::Up => next::Status::Up,
                Status::Down => next::Status::Down,
            },
            incarnation: self.incarnation,
            joined_at_ms: self.joined_at_ms,
            changed_at_ms: self.changed_at_ms,
        }
    }
}

impl PartitionState {
    fn into_next(self) -> next::PartitionState {
        next::PartitionState {
            epoch: self.epoch,
            primary: self.primary.map(Replica::into_next),
            replicas: self.replicas,
            in_sync: self.in_sync.into_iter().map(Replica::into_next).collect(),
            version: self.version,
            lost: self.lost,
            lost_at_ms: self.lost_at_ms,
        }
    }
}

impl Tenant {
    fn into_next(self) -> next::Tenant {
        next::Tenant {
            id: self.id,
            name: self.name,
            placement: self.placement.into_next(),
            settings: settings(self.ack, self.policy, self.memory_bytes),
            token_hashes: Vec::new(),
            created_at_ms: self.created_at_ms,
        }
    }
}

impl AuditEntry {
    fn into_next(self) -> next::AuditEntry {
        let AuditEntry { index, at_ms, actor, action, subject } = self;
        next::AuditEntry { index, at_ms, actor, action, subject }
    }
}
