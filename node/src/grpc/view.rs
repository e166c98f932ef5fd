//! The agreed state in the messages of the admin API.

use super::Shared;
use predis_meta::{ClusterState, Member, PartitionState, Tenant};
use predis_proto::admin::{self, StatusReply};
use predis_raft::Published;
use predis_types::{NodeId, PartitionCount, PartitionId};
use std::collections::BTreeSet;

/// A whole cluster; `None` before it is founded.
pub(super) fn reply(shared: &Shared, published: &Published) -> Option<StatusReply> {
    let state = &published.state;
    let cluster = state.cluster()?;
    let leadership = shared.meta.leadership();
    let (voters, _) = shared.meta.members();
    let served = state.partitions().iter().filter(|partition| partition.primary.is_some()).count();
    let numbered = (0..).map(PartitionId).zip(state.partitions());
    Some(StatusReply {
        cluster: cluster.id.to_string(),
        created_at_ms: cluster.created_at_ms,
        answered_by: shared.node.0,
        leader: leadership.leader.map_or(0, |leader| leader.0),
        term: leadership.term,
        applied_index: published.index,
        copies: u32::from(cluster.copies),
        partition_count: u32::from(cluster.partitions.get()),
        partitions_served: served as u32,
        slots_served: served as u32 * u32::from(predis_types::SLOTS / cluster.partitions.get()),
        partitions_lost: state.partitions().iter().map(|partition| partition.lost).sum(),
        nodes: state.nodes().values().map(|member| node(state, member, leadership.leader, &voters)).collect(),
        partitions: numbered.map(|(id, p)| partition(cluster.partitions, id, p)).collect(),
        tenants: state.tenants().values().map(|of| tenant(state, of)).collect(),
        metadata_version: state.level(),
    })
}

fn node(
    state: &ClusterState,
    member: &Member,
    leader: Option<NodeId>,
    voters: &BTreeSet<NodeId>,
) -> admin::Node {
    let role = match () {
        () if leader == Some(member.id) => "leader",
        () if voters.contains(&member.id) => "voter",
        () => "learner",
    };
    let held = predis_meta::Replica { node: member.id, incarnation: member.incarnation };
    admin::Node {
        id: member.id.0,
        name: member.name.clone(),
        resp_addr: member.addrs.resp.clone(),
        grpc_addr: member.addrs.grpc.clone(),
        metrics_addr: member.addrs.metrics.clone(),
        zone: member.zone.clone(),
        region: member.region.clone(),
        weight: member.weight,
        status: member.status.to_string(),
        mode: member.mode.to_string(),
        role: role.to_owned(),
        incarnation: member.incarnation.0,
        primaries: state.primaries_of(held).count() as u32,
        seats: state.seats_of(member.id).count() as u32,
        metadata_version: member.metadata_version,
    }
}

fn partition(count: PartitionCount, id: PartitionId, partition: &PartitionState) -> admin::Partition {
    let slots = count.slots_of(id);
    admin::Partition {
        id: u32::from(id.0),
        first_slot: u32::from(slots.start),
        last_slot: u32::from(slots.end - 1),
        epoch: partition.epoch.0,
        primary: partition.primary.map_or(0, |primary| primary.node.0),
        replicas: partition.replicas.iter().map(|node| node.0).collect(),
        in_sync: partition.in_sync.iter().map(|replica| replica.node.0).collect(),
        lost: partition.lost,
    }
}

/// One tenant.
pub(super) fn tenant(state: &ClusterState, tenant: &Tenant) -> admin::Tenant {
    let settings = &tenant.settings;
    admin::Tenant {
        id: tenant.id.0,
        name: tenant.name.clone(),
        placement: tenant.placement.to_string(),
        ack: settings.ack.to_string(),
        policy: settings.policy.clone(),
        memory_bytes: settings.memory_bytes,
        max_ops_per_second: settings.max_ops_per_second,
        max_connections: settings.max_connections,
        created_at_ms: tenant.created_at_ms,
        users: state.users_of(tenant.id).count() as u32,
    }
}
