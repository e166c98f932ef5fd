//! What should change about the placement of partitions, as a pure function of the agreed state.
//!
//! A partition without a primary gets one at once: an in-sync survivor, or else a fresh start. Seats follow
//! [`predis_router::place`]. A primary that should be elsewhere is asked to give the partition away, which it
//! does only while the partition is empty.

use super::Move;
use predis_meta::{ClusterState, Mode, PartitionState, PlacementChange, PlacementKind, Replica};
use predis_router::{PlacementNode, place};
use predis_types::{NodeId, PartitionId};
use std::collections::BTreeMap;

/// What should be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Changes to commit.
    pub changes: Vec<PlacementChange>,
    /// What each node should be asked to give away.
    pub moves: BTreeMap<NodeId, Vec<Move>>,
}

/// Plans from a state; an empty plan means that all is in order.
pub fn plan(state: &ClusterState) -> Plan {
    let Some(cluster) = state.cluster() else { return Plan::default() };
    let nodes: Vec<PlacementNode> = state
        .nodes()
        .values()
        .map(|member| PlacementNode {
            id: member.id,
            weight: member.weight,
            zone: member.zone.clone(),
            region: member.region.clone(),
            eligible: member.is_up() && member.mode == Mode::Active,
        })
        .collect();
    let current: Vec<Vec<NodeId>> = state.partitions().iter().map(|p| p.replicas.clone()).collect();
    let wanted = place(&nodes, cluster.copies, &current);
    let mut plan = Plan::default();
    for ((id, partition), wanted) in (0..).map(PartitionId).zip(state.partitions()).zip(wanted) {
        if let Some((kind, replicas)) = change(state, partition, &wanted) {
            let (epoch, version) = (partition.epoch, partition.version);
            plan.changes.push(PlacementChange { partition: id, epoch, version, replicas, kind });
        }
        if let (Some(primary), Some(&to)) = (partition.primary, wanted.first())
            && primary.node != to
        {
            plan.moves.entry(primary.node).or_default().push(Move { partition: id, to });
        }
    }
    plan
}

/// The seats `wanted`, with `first` in front.
fn led_by(first: NodeId, wanted: &[NodeId]) -> Vec<NodeId> {
    std::iter::once(first).chain(wanted.iter().copied().filter(|node| *node != first)).collect()
}

fn change(
    state: &ClusterState,
    partition: &PartitionState,
    wanted: &[NodeId],
) -> Option<(PlacementKind, Vec<NodeId>)> {
    if let Some(primary) = partition.primary {
        let replicas = led_by(primary.node, wanted);
        return (replicas != partition.replicas).then_some((PlacementKind::Seats, replicas));
    }
    let preferred = wanted.iter().find_map(|node| partition.in_sync.iter().find(|r| r.node == *node));
    if let Some(&to) = preferred.or_else(|| partition.in_sync.first()) {
        return Some((PlacementKind::Promote { to }, led_by(to.node, wanted)));
    }
    let node = state.node(*wanted.first()?)?;
    let to = Replica { node: node.id, incarnation: node.incarnation };
    Some((PlacementKind::Restart { to }, wanted.to_vec()))
}
