//! The agreed state as requests read it: [`ClusterState`] to [`Topology`].
//!
//! The one place where metadata becomes routing. Knows nothing of leases.

use predis_meta::{ClusterState, Member};
use predis_raft::Published;
use predis_router::{Endpoint, NodeInfo, Owner, Topology};
use predis_types::NodeId;

/// The topology of an agreed state; `None` before the cluster is created.
pub fn of(published: &Published) -> Option<Topology> {
    let state: &ClusterState = &published.state;
    let cluster = state.cluster()?;
    let owner = |partition: &predis_meta::PartitionState| Owner {
        primary: partition.primary.map(|primary| primary.node),
        epoch: partition.epoch,
        replicas: partition
            .in_sync
            .iter()
            .map(|replica| replica.node)
            .filter(|node| Some(*node) != partition.primary.map(|primary| primary.node))
            .collect(),
        others: {
            let in_sync = |node: &NodeId| partition.in_sync.iter().any(|replica| replica.node == *node);
            partition.replicas.iter().copied().filter(|node| !in_sync(node)).collect()
        },
    };
    Some(Topology {
        version: published.index,
        cluster: cluster.id,
        partitions: cluster.partitions,
        nodes: state.nodes().values().map(|member| (member.id, node(member))).collect(),
        owners: state.partitions().iter().map(owner).collect(),
    })
}

fn node(member: &Member) -> NodeInfo {
    NodeInfo {
        resp: endpoint(&member.addrs.resp),
        grpc: endpoint(&member.addrs.grpc),
        zone: member.zone.clone(),
        region: member.region.clone(),
        up: member.is_up(),
    }
}

/// `host:port`, the host without the brackets of an IPv6 address.
fn endpoint(addr: &str) -> Endpoint {
    let (host, port) = addr.rsplit_once(':').unwrap_or((addr, "0"));
    Endpoint::new(host.trim_start_matches('[').trim_end_matches(']'), port.parse().unwrap_or(0))
}
