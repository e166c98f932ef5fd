//! Follows the agreed state: topology, shards and tenants are what it says.

use crate::{regions, serving::Serving, topology};
use predis_meta::{Ack, ClusterState, PartitionState, Replica};
use predis_policy::PolicyKind;
use predis_raft::Published;
use predis_replica::{Life, Members, Ownership};
use predis_types::PartitionId;
use std::{collections::BTreeSet, sync::Arc};

/// The setting that says how many copies must be in sync for writes under quorum.
pub const MIN_IN_SYNC: &str = "min-in-sync";

/// The setting that says how old a copy may be that reads are answered from.
pub const MAX_STALENESS: &str = "max-staleness-ms";

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
    serving.shards.begin_update(published.index);
    serving.access.update(published);
    for tenant in published.state.tenants().values() {
        let policy = tenant.settings.policy.parse().unwrap_or_else(|_| {
            tracing::warn!(tenant = %tenant.name, policy = %tenant.settings.policy, "unknown policy");
            FALLBACK
        });
        let quorum = tenant.settings.ack == Ack::Quorum;
        serving.shards.configure_tenant(tenant.id, policy, tenant.settings.memory_bytes, quorum);
    }
    for tenant in serving.shards.tenants() {
        if !published.state.tenants().contains_key(&tenant) {
            serving.shards.remove_tenant(tenant);
        }
    }
    serving.shards.set_min_in_sync(min_in_sync(&published.state));
    serving.shards.set_max_staleness_us(max_staleness_us(&published.state));
    // Shards first: a request that sees the new topology finds its shard.
    let state = &published.state;
    let partitions = (0..).map(PartitionId).zip(state.partitions());
    let home = regions::home(state);
    let owners = partitions.map(|(id, p)| (id, ownership(p), members(state, p, home)));
    serving.shards.update(published.index, owners);
    if let Some(topology) = topology::of(published) {
        serving.topology.store(Arc::new(topology));
    }
}

/// How many copies must be in sync for writes under quorum: as it is set, or more than half of them.
fn min_in_sync(state: &ClusterState) -> usize {
    let set = state.config().get(MIN_IN_SYNC).and_then(|text| text.parse().ok());
    set.unwrap_or_else(|| state.cluster().map_or(1, |cluster| usize::from(cluster.copies / 2 + 1)))
}

/// How old a copy may be that reads are answered from, in microseconds; `None`: as old as it may be.
fn max_staleness_us(state: &ClusterState) -> Option<u64> {
    let set_ms: u64 = state.config().get(MAX_STALENESS)?.parse().ok()?;
    Some(set_ms.saturating_mul(1000))
}

fn ownership(partition: &PartitionState) -> Ownership {
    Ownership { primary: partition.primary.map(life), epoch: partition.epoch }
}

fn members(state: &ClusterState, partition: &PartitionState, home: Option<&str>) -> Members {
    let in_sync: BTreeSet<Life> = partition.in_sync.iter().copied().map(life).collect();
    let up = |node| state.node(node).filter(|member| member.is_up());
    let seated = partition.replicas.iter().filter_map(|node| up(*node));
    let seated = seated.map(|member| Life { node: member.id, incarnation: member.incarnation });
    let seated: BTreeSet<Life> = seated.chain(in_sync.iter().copied()).collect();
    let is_apart = |life: &&Life| state.node(life.node).is_some_and(|m| regions::is_apart(home, m));
    let apart = seated.iter().filter(is_apart).copied().collect();
    let (version, lost) = (partition.version, partition.lost);
    let recovered = partition.lost_at_ms.is_some_and(|at_ms| regions::is_recovery(state, at_ms));
    Members { version, lost, recovered, in_sync, seated, apart }
}

fn life(replica: Replica) -> Life {
    Life { node: replica.node, incarnation: replica.incarnation }
}
