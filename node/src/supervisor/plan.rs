//! What should change about the placement of partitions, as a pure function of the agreed state.
//!
//! ```text
//! seats [primary, old..]  ->  [primary, wanted.., old that are in sync]  ->  wanted are in sync  ->  the primary moves
//!                                                                                            ->  [wanted..]
//! ```
//! A partition without a primary gets one at once: an in-sync survivor, or else a fresh start. Seats follow
//! [`predis_router::place`], but nobody gives up a copy before those that are to take its place are in sync, and the
//! primary moves by its own doing, to one that is.

use super::Move;
use predis_meta::{
    ClusterState, Member, Mode, PartitionState, PlacementChange, PlacementKind, Replica, limits::MAX_SEATS,
};
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

/// What the one who plans remembers from one plan to the next, and has found out.
#[derive(Clone, Debug, Default)]
pub struct Intentions {
    /// Where partitions are to be, that are not there yet: so that a plan half carried out is not made anew.
    goals: BTreeMap<PartitionId, Vec<NodeId>>,
    /// Which survivor of a partition without a primary has most.
    pub advanced: BTreeMap<PartitionId, NodeId>,
}

/// Plans from a state; an empty plan means that all is in order, or about to be by what others do.
pub fn plan(state: &ClusterState, intentions: &mut Intentions) -> Plan {
    let Some(cluster) = state.cluster() else { return Plan::default() };
    let is_eligible = |member: &Member| member.is_up() && member.mode == Mode::Active;
    let nodes: Vec<PlacementNode> = state
        .nodes()
        .values()
        .map(|member| PlacementNode {
            id: member.id,
            weight: member.weight,
            zone: member.zone.clone(),
            region: member.region.clone(),
            eligible: is_eligible(member),
        })
        .collect();
    let may_stay = |node: &NodeId| state.node(*node).is_some_and(is_eligible);
    let current: Vec<Vec<NodeId>> = (0..)
        .map(PartitionId)
        .zip(state.partitions())
        .map(|(id, partition)| {
            let seats = intentions.goals.get(&id).unwrap_or(&partition.replicas);
            // Those that are on their way out stand last.
            seats.iter().copied().filter(may_stay).take(usize::from(cluster.copies)).collect()
        })
        .collect();
    let wanted = place(&nodes, cluster.copies, &current);
    let mut plan = Plan::default();
    for ((id, partition), wanted) in (0..).map(PartitionId).zip(state.partitions()).zip(wanted) {
        let (epoch, version) = (partition.epoch, partition.version);
        let advanced = intentions.advanced.get(&id).copied();
        if let Some((kind, replicas)) = change(state, partition, &wanted, advanced) {
            plan.changes.push(PlacementChange { partition: id, epoch, version, replicas, kind });
        }
        if let (Some(primary), Some(&to)) = (partition.primary, wanted.first())
            && primary.node != to
            && is_in_sync(partition, to)
        {
            plan.moves.entry(primary.node).or_default().push(Move { partition: id, to });
        }
        if partition.replicas == wanted {
            intentions.goals.remove(&id);
        } else {
            intentions.goals.insert(id, wanted);
        }
    }
    plan
}

/// Whether every partition is where it should be, with all its copies in sync.
pub fn is_settled(state: &ClusterState) -> bool {
    let Plan { changes, moves } = plan(state, &mut Intentions::default());
    let whole = |partition: &PartitionState| {
        partition.primary.is_some() && partition.replicas.iter().all(|node| is_in_sync(partition, *node))
    };
    changes.is_empty() && moves.is_empty() && state.partitions().iter().all(whole)
}

fn is_in_sync(partition: &PartitionState, node: NodeId) -> bool {
    partition.in_sync.iter().any(|replica| replica.node == node)
}

/// The seats with `first` in front, then those wanted, then, unless all wanted are in sync and one of them leads,
/// those that hold what is committed still.
fn seats(partition: &PartitionState, first: NodeId, wanted: &[NodeId]) -> Vec<NodeId> {
    let settled = wanted.contains(&first) && wanted.iter().all(|node| is_in_sync(partition, *node));
    let mut seats = vec![first];
    let stay = partition.replicas.iter().filter(|node| !settled && is_in_sync(partition, **node));
    for node in wanted.iter().chain(stay) {
        if !seats.contains(node) && seats.len() < MAX_SEATS {
            seats.push(*node);
        }
    }
    seats
}

fn change(
    state: &ClusterState,
    partition: &PartitionState,
    wanted: &[NodeId],
    advanced: Option<NodeId>,
) -> Option<(PlacementKind, Vec<NodeId>)> {
    if let Some(primary) = partition.primary {
        let replicas = seats(partition, primary.node, wanted);
        return (replicas != partition.replicas).then_some((PlacementKind::Seats, replicas));
    }
    let holder = |node: NodeId| partition.in_sync.iter().find(|replica| replica.node == node);
    let preferred = advanced.and_then(holder).or_else(|| wanted.iter().find_map(|node| holder(*node)));
    if let Some(&to) = preferred.or_else(|| partition.in_sync.first()) {
        return Some((PlacementKind::Promote { to }, seats(partition, to.node, wanted)));
    }
    let node = state.node(*wanted.first()?)?;
    let to = Replica { node: node.id, incarnation: node.incarnation };
    Some((PlacementKind::Restart { to }, wanted.to_vec()))
}
