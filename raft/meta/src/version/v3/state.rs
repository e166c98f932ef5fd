//! The state of version 3, and what it becomes. Frozen.

use super::{
    shared::{Addresses, ClusterInfo, Mode, Replica, TenantPlacement, TenantSettings},
    users::User,
};
use crate as next;
use predis_types::{Epoch, Incarnation, NodeId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterState {
    pub(crate) cluster: Option<ClusterInfo>,
    pub(crate) nodes: BTreeMap<NodeId, Member>,
    pub(crate) next_node_id: NodeId,
    pub(crate) partitions: Vec<PartitionState>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) next_tenant_id: TenantId,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) roles: BTreeMap<String, RoleLease>,
    pub(crate) next_fencing_token: u64,
    pub(crate) audit: VecDeque<AuditEntry>,
    pub(crate) applied_index: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) id: NodeId,
    pub(crate) name: String,
    pub(crate) addrs: Addresses,
    pub(crate) zone: String,
    pub(crate) region: String,
    pub(crate) weight: u32,
    pub(crate) mode: Mode,
    pub(crate) status: Status,
    pub(crate) incarnation: Incarnation,
    pub(crate) joined_at_ms: u64,
    pub(crate) changed_at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Up,
    Down,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartitionState {
    pub(crate) epoch: Epoch,
    pub(crate) primary: Option<Replica>,
    pub(crate) replicas: Vec<NodeId>,
    pub(crate) in_sync: BTreeSet<Replica>,
    pub(crate) version: u64,
    pub(crate) lost: u64,
    pub(crate) lost_at_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) placement: TenantPlacement,
    pub(crate) settings: TenantSettings,
    pub(crate) created_at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleLease {
    pub(crate) holder: Replica,
    pub(crate) token: u64,
    pub(crate) until_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditEntry {
    pub(crate) index: u64,
    pub(crate) at_ms: u64,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) subject: String,
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
            users: self.users.into_iter().map(|(name, user)| (name, user.into_next())).collect(),
            config: self.config,
            roles: self.roles.into_iter().map(|(role, lease)| (role, lease.into_next())).collect(),
            next_fencing_token: self.next_fencing_token,
            audit: self.audit.into_iter().map(AuditEntry::into_next).collect(),
            applied_index: self.applied_index,
            local_node: None,
        }
    }
}

impl Member {
    fn into_next(self) -> next::Member {
        let (addrs, metadata_version) = self.addrs.into_next();
        next::Member {
            id: self.id,
            name: self.name,
            addrs,
            zone: self.zone,
            region: self.region,
            weight: self.weight,
            mode: self.mode.into_next(),
            status: match self.status {
                Status::Up => next::Status::Up,
                Status::Down => next::Status::Down,
            },
            incarnation: self.incarnation,
            metadata_version,
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
            settings: self.settings.into_next(),
            created_at_ms: self.created_at_ms,
        }
    }
}

impl RoleLease {
    fn into_next(self) -> next::RoleLease {
        next::RoleLease { holder: self.holder.into_next(), token: self.token, until_ms: self.until_ms }
    }
}

impl AuditEntry {
    fn into_next(self) -> next::AuditEntry {
        let AuditEntry { index, at_ms, actor, action, subject } = self;
        next::AuditEntry { index, at_ms, actor, action, subject }
    }
}
