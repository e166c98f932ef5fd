//! The present state in version 3. Loses nothing but whose copy it is.

use super::{Backward, each, stated, v3};
use crate::{AuditEntry, ClusterState, Member, PartitionState, RoleLease, Status, Tenant, Token, User};
use std::collections::BTreeMap;

fn values<K: Clone + Ord, T: Backward>(map: &BTreeMap<K, T>) -> BTreeMap<K, T::Past> {
    map.iter().map(|(key, value)| (key.clone(), value.backward())).collect()
}

impl Backward for ClusterState {
    type Past = v3::ClusterState;

    fn backward(&self) -> v3::ClusterState {
        v3::ClusterState {
            cluster: self.cluster.backward(),
            nodes: values(&self.nodes),
            next_node_id: self.next_node_id,
            partitions: each(&self.partitions),
            tenants: values(&self.tenants),
            next_tenant_id: self.next_tenant_id,
            users: values(&self.users),
            config: self.config.clone(),
            roles: values(&self.roles),
            next_fencing_token: self.next_fencing_token,
            audit: each(&self.audit),
            applied_index: self.applied_index,
        }
    }
}

impl Backward for Member {
    type Past = v3::Member;

    fn backward(&self) -> v3::Member {
        v3::Member {
            id: self.id,
            name: self.name.clone(),
            addrs: stated(&self.addrs, self.metadata_version),
            zone: self.zone.clone(),
            region: self.region.clone(),
            weight: self.weight,
            mode: self.mode.backward(),
            status: match self.status {
                Status::Up => v3::Status::Up,
                Status::Down => v3::Status::Down,
            },
            incarnation: self.incarnation,
            joined_at_ms: self.joined_at_ms,
            changed_at_ms: self.changed_at_ms,
        }
    }
}

impl Backward for PartitionState {
    type Past = v3::PartitionState;

    fn backward(&self) -> v3::PartitionState {
        v3::PartitionState {
            epoch: self.epoch,
            primary: self.primary.backward(),
            replicas: self.replicas.clone(),
            in_sync: each(&self.in_sync),
            version: self.version,
            lost: self.lost,
            lost_at_ms: self.lost_at_ms,
        }
    }
}

impl Backward for Tenant {
    type Past = v3::Tenant;

    fn backward(&self) -> v3::Tenant {
        v3::Tenant {
            id: self.id,
            name: self.name.clone(),
            placement: self.placement.backward(),
            settings: self.settings.backward(),
            created_at_ms: self.created_at_ms,
        }
    }
}

impl Backward for Token {
    type Past = v3::Token;

    fn backward(&self) -> v3::Token {
        let Token { id, hash, created_at_ms, expires_at_ms } = self.clone();
        v3::Token { id, hash, created_at_ms, expires_at_ms }
    }
}

impl Backward for User {
    type Past = v3::User;

    fn backward(&self) -> v3::User {
        v3::User {
            name: self.name.clone(),
            tenant: self.tenant,
            role: self.role.backward(),
            enabled: self.enabled,
            tokens: each(&self.tokens),
            created_at_ms: self.created_at_ms,
        }
    }
}

impl Backward for RoleLease {
    type Past = v3::RoleLease;

    fn backward(&self) -> v3::RoleLease {
        v3::RoleLease { holder: self.holder.backward(), token: self.token, until_ms: self.until_ms }
    }
}

impl Backward for AuditEntry {
    type Past = v3::AuditEntry;

    fn backward(&self) -> v3::AuditEntry {
        let AuditEntry { index, at_ms, actor, action, subject } = self.clone();
        v3::AuditEntry { index, at_ms, actor, action, subject }
    }
}
