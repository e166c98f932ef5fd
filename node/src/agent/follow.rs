//! Follows the agreed state: topology, shards and tenants are what it says.

use crate::{serving::Serving, topology};
use predis_meta::PartitionState;
use predis_policy::PolicyKind;
use predis_raft::Published;
use predis_replica::{Ownership, Life};
use predis_types::PartitionId;
use std::sync::Arc;

/// The policy of a tenant whose policy this version does not know.
const FALLBACK: PolicyKind = PolicyKind::S3fifo;

/// Applies every state that is published, until one says that this incarnation is over.
pub async fn follow(serving: Arc<Serving>) -> String {
    let mut published = serving.meta.watch();
    loop {
        let now = published.borrow_and_update().clone();
        if let Some(over) = verdict(&serving, &now) {
            return over;
        }
        apply(&serving, &now);
        if published.changed().await.is_err() {
            return "raft stopped".to_owned();
        }
    }
}

/// Why the state has this incarnation over, if it does.
fn verdict(serving: &Serving, published: &Published) -> Option<String> {
    let me = serving.identity;
    let Some(member) = published.state.node(me.node) else {
        return Some("the node is no longer a member".to_owned());
    };
    if member.incarnation != me.incarnation {
        return Some(format!("the cluster knows incarnation {}", member.incarnation));
    }
    (!member.is_up()).then(|| "the cluster took it to be dead".to_owned())
}

/// Makes topology, tenants and shards those of the state.
pub fn apply(serving: &Serving, published: &Published) {
    serving.access.update(published);
    for tenant in published.state.tenants().values() {
        let policy = tenant.settings.policy.parse().unwrap_or_else(|_| {
            tracing::warn!(tenant = %tenant.name, policy = %tenant.settings.policy, "unknown policy");
            FALLBACK
        });
        serving.shards.configure_tenant(tenant.id, policy, tenant.settings.memory_bytes);
    }
    for tenant in serving.shards.tenants() {
        if !published.state.tenants().contains_key(&tenant) {
            serving.shards.remove_tenant(tenant);
        }
    }
    // Shards first: a request that sees the new topology finds its shard.
    let partitions = published.state.partitions();
    serving.shards.update((0..).map(PartitionId).zip(partitions.iter().map(ownership)));
    if let Some(topology) = topology::of(published) {
        serving.topology.store(Arc::new(topology));
    }
}

fn ownership(partition: &PartitionState) -> Ownership {
    let primary = partition.primary.map(|p| Life { node: p.node, incarnation: p.incarnation });
    Ownership { primary, epoch: partition.epoch }
}
