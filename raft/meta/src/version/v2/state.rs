//! The state of version 2, and what it becomes. Frozen.

use super::{
    shared::{Addresses, ClusterInfo, Mode, Replica, TenantPlacement, TenantSettings},
    tokens::{self, TokenHash},
};
use crate::version::v3 as next;
use predis_types::{Epoch, Incarnation, NodeId, TenantId};
use serde::Deserialize;
use std::collections::{BTreeMap, VecDeque};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterState {
    pub(crate) cluster: Option<ClusterInfo>,
    pub(crate) nodes: BTreeMap<NodeId, Member>,
    pub(crate) next_node_id: NodeId,
    pub(crate) partitions: Vec<PartitionState>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) next_tenant_id: TenantId,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) roles: BTreeMap<String, RoleLease>,
    pub(crate) next_fencing_token: u64,
    pub(crate) audit: VecDeque<AuditEntry>,
    pub(crate) applied_index: u64,
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Up,
    Down,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartitionState {
    pub(crate) epoch: Epoch,
    pub(crate) primary: Option<Replica>,
    pub(crate) replicas: Vec<NodeId>,
    pub(crate) in_sync: Vec<Replica>,
    pub(crate) version: u64,
    pub(crate) lost: u64,
    pub(crate) lost_at_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    pub(crate) name: String,
    pub(crate) placement: TenantPlacement,
    pub(crate) settings: TenantSettings,
    pub(crate) token_hashes: Vec<TokenHash>,
    pub(crate) created_at_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleLease {
    holder: Replica,
    token: u64,
    until_ms: u64,
}

#[derive(Deserialize)]
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
        let (mut tenants, mut users) = (BTreeMap::new(), BTreeMap::new());
        for (id, tenant) in self.tenants {
            let (tenant, token_hashes) = tenant.into_next();
            for token in token_hashes {
                let user = token.into_user(id);
                users.entry(user.name.clone()).or_insert(user);
            }
            tenants.insert(id, tenant);
        }
        let audit = self.audit.into_iter().map(|entry| tokens::audited(entry.into_next(), &users)).collect();
        next::ClusterState {
            cluster: self.cluster.map(ClusterInfo::into_next),
            nodes: self.nodes.into_iter().map(|(id, member)| (id, member.into_next())).collect(),
            next_node_id: self.next_node_id,
            partitions: self.partitions.into_iter().map(PartitionState::into_next).collect(),
            tenants,
            next_tenant_id: self.next_tenant_id,
            users,
            config: self.config,
            roles: self.roles.into_iter().map(|(role, lease)| (role, lease.into_next())).collect(),
            next_fencing_token: self.next_fencing_token,
            audit,
            applied_index: self.applied_index,
        }
    }
}

impl Member {
    fn into_next(self) -> next::Member {
        next::Member {
            id: self.id,
            name: self.name,
            addrs: self.addrs.into_next(),
            zone: self.zone,
            region: self.region,
            weight: self.weight,
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
    /// The tenant, and the tokens that are no longer part of it.
    fn into_next(self) -> (next::Tenant, Vec<TokenHash>) {
        let tenant = next::Tenant {
            id: self.id,
            name: self.name,
            placement: self.placement.into_next(),
            settings: self.settings.into_next(),
            created_at_ms: self.created_at_ms,
        };
        (tenant, self.token_hashes)
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
