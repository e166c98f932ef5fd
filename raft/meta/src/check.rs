//! The rules that every state keeps, whatever was applied to it.
//!
//! Called on every state that is decoded and, in tests, after every command. Rules about how a state may differ
//! from the one before it are not here: one state cannot show them.

use crate::{
    ClusterInfo, ClusterState, MAX_AUDIT_ENTRIES, OLDEST_WRITTEN, PartitionState,
    limits::{MAX_SEATS, MAX_TOKENS},
};
use predis_types::{Epoch, Incarnation, TenantId, limits::MAX_COPIES};
use std::collections::BTreeSet;

type Checked = Result<(), String>;

fn rule(holds: bool, broken: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(broken()) }
}

impl ClusterState {
    /// Looks for a broken rule, and says which.
    pub fn check(&self) -> Checked {
        self.check_audit()?;
        let Some(info) = &self.cluster else {
            let empty = self.nodes.is_empty() && self.partitions.is_empty() && self.tenants.is_empty();
            let unset = self.users.is_empty() && self.config.is_empty() && self.roles.is_empty();
            return rule(empty && unset, || "something exists without a cluster".into());
        };
        self.check_cluster(info)?;
        self.check_members()?;
        self.check_tenants()?;
        self.check_users()?;
        self.check_roles()?;
        for (id, partition) in self.numbered() {
            self.check_partition(partition).map_err(|broken| format!("partition {id}: {broken}"))?;
        }
        Ok(())
    }

    fn check_cluster(&self, info: &ClusterInfo) -> Checked {
        let copies = info.copies;
        rule((1..=MAX_COPIES).contains(&copies), || format!("{copies} copies"))?;
        let (count, due) = (self.partitions.len(), usize::from(info.partitions.get()));
        rule(count == due, || format!("{count} partitions instead of {due}"))
    }

    fn check_members(&self) -> Checked {
        let mut names = BTreeSet::new();
        for (&id, member) in &self.nodes {
            rule(member.id == id, || format!("node {id} calls itself {}", member.id))?;
            rule(id < self.next_node_id, || format!("node {id} has an id that was not issued"))?;
            let understood = member.metadata_version;
            rule(understood >= OLDEST_WRITTEN, || format!("node {id} understands version {understood}"))?;
            if member.is_up() {
                rule(member.incarnation > Incarnation(0), || format!("node {id} is up without a boot"))?;
                rule(names.insert(&member.name), || format!("two nodes named {} are up", member.name))?;
            }
        }
        Ok(())
    }

    fn check_partition(&self, partition: &PartitionState) -> Checked {
        let PartitionState { epoch, primary, replicas, in_sync, version, lost, lost_at_ms } = partition;
        let seats: BTreeSet<_> = replicas.iter().collect();
        rule(seats.len() == replicas.len(), || format!("seats {replicas:?} are not distinct"))?;
        rule(seats.len() <= MAX_SEATS, || format!("{} seats", seats.len()))?;
        for &node in &seats {
            rule(self.nodes.contains_key(node), || format!("a seat of node {node}, which is no member"))?;
        }
        for &replica in in_sync {
            rule(seats.contains(&replica.node), || format!("{replica} is in sync without a seat"))?;
            rule(self.is_live(replica), || format!("{replica} is in sync, but not live"))?;
        }
        if let Some(primary) = primary {
            rule(in_sync.contains(primary), || format!("primary {primary} is not in sync"))?;
            rule(replicas.first() == Some(&primary.node), || {
                format!("primary {primary} is not in the first seat")
            })?;
        }
        let served = !in_sync.is_empty() || *lost > 0;
        rule(!served || (*epoch > Epoch(0) && *version > 0), || {
            "it was served in epoch or version 0".into()
        })?;
        rule(*lost <= epoch.0, || format!("lost {lost} times by epoch {epoch}"))?;
        rule((*lost > 0) == lost_at_ms.is_some(), || "count and time of loss disagree".into())
    }

    fn check_tenants(&self) -> Checked {
        rule(self.tenants.contains_key(&TenantId::default()), || "there is no default tenant".into())?;
        let mut names = BTreeSet::new();
        for (&id, tenant) in &self.tenants {
            rule(tenant.id == id, || format!("tenant {id} calls itself {}", tenant.id))?;
            rule(id < self.next_tenant_id, || format!("tenant {id} has an id that was not issued"))?;
            rule(names.insert(&tenant.name), || format!("two tenants are named {}", tenant.name))?;
        }
        Ok(())
    }

    fn check_users(&self) -> Checked {
        let mut hashes = BTreeSet::new();
        for (name, user) in &self.users {
            rule(user.name == *name, || format!("user {name} calls itself {}", user.name))?;
            let (tenant, count) = (user.tenant, user.tokens.len());
            rule(self.tenants.contains_key(&tenant), || format!("user {name}: there is no tenant {tenant}"))?;
            rule(count <= MAX_TOKENS, || format!("user {name} has {count} tokens"))?;
            let mut ids = BTreeSet::new();
            for token in &user.tokens {
                rule(ids.insert(&token.id), || format!("user {name} has two tokens named {}", token.id))?;
                rule(hashes.insert(&token.hash), || format!("user {name}: token {} exists twice", token.id))?;
            }
        }
        Ok(())
    }

    fn check_roles(&self) -> Checked {
        let mut tokens = BTreeSet::new();
        for (role, lease) in &self.roles {
            let token = lease.token;
            rule(token < self.next_fencing_token, || format!("role {role}: token {token} was not issued"))?;
            rule(tokens.insert(token), || format!("token {token} was issued twice"))?;
            let holder = lease.holder;
            rule(self.nodes.contains_key(&holder.node), || format!("role {role}: {holder} is no member"))?;
        }
        Ok(())
    }

    fn check_audit(&self) -> Checked {
        let count = self.audit.len();
        rule(count <= MAX_AUDIT_ENTRIES, || format!("{count} audit entries"))?;
        let mut before = 0;
        for entry in &self.audit {
            rule(entry.index > before, || format!("audit entry {} follows {before}", entry.index))?;
            before = entry.index;
        }
        rule(before <= self.applied_index, || format!("audit entry {before} was not applied"))
    }
}
