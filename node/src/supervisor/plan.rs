//! What should change about the placement of partitions, as a pure function of the agreed state.
//!
//! ```text
//! seats [primary, old..]  ->  [primary, wanted.., old that are in sync]  ->  wanted are in sync  ->  the primary moves
//!                                                                                            ->  [wanted..]
//! ```
//! A partition without a primary gets one at once: an in-sync survivor, or else a fresh start. Seats follow
//! [`predis_router::place`], but nobody gives up a copy before those that are to take its place are in sync, and the
//! primary moves by its own doing, to one that is. Where data has a home, all of that is about the members of that
//! region; those of each other one are placed by themselves, behind, and never take over: what they hold may lack what
//! was acknowledged, so a partition that lives on there alone waits for somebody to decide.

use super::{Move, survey::Survey};
use crate::regions;
use predis_meta::{
    ClusterState, Member, Mode, PartitionState, PlacementChange, PlacementKind, Replica, limits::MAX_SEATS,
};
use predis_router::{PlacementNode, place};
use predis_types::{NodeId, PartitionId};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Who has what of partitions without a primary.
    pub found: Survey,
}

/// Plans from a state; an empty plan means that all is in order, or about to be by what others do.
pub fn plan(state: &ClusterState, intentions: &mut Intentions) -> Plan {
    let Some(cluster) = state.cluster() else { return Plan::default() };
    let mut plan = Plan::default();
    let wanted = wanted(state, cluster.copies, intentions);
    for ((id, partition), wanted) in (0..).map(PartitionId).zip(state.partitions()).zip(wanted) {
        let (epoch, version) = (partition.epoch, partition.version);
        let Survey { advanced, spared } = &intentions.found;
        let (advanced, spared) = (advanced.get(&id).copied(), spared.contains(&id));
        if let Some((kind, replicas)) = change(state, partition, &wanted, (advanced, spared)) {
            plan.changes.push(PlacementChange { partition: id, epoch, version, replicas, kind });
        }
        if let (Some(primary), Some(&to)) = (partition.primary, wanted.home.first())
            && primary.node != to
            && is_in_sync(partition, to)
        {
            plan.moves.entry(primary.node).or_default().push(Move { partition: id, to });
        }
        let goal = wanted.seats();
        if partition.replicas == goal {
            intentions.goals.remove(&id);
        } else {
            intentions.goals.insert(id, goal);
        }
    }
    plan
}

/// Where one partition is to be.
#[derive(Clone, Debug, Default)]
struct Wanted {
    /// Those that are waited for, the primary first.
    home: Vec<NodeId>,
    /// Those that nobody waits for.
    apart: Vec<NodeId>,
}

impl Wanted {
    fn seats(&self) -> Vec<NodeId> {
        self.home.iter().chain(&self.apart).copied().take(MAX_SEATS).collect()
    }
}

/// Where every partition is to be: as things are and are meant to become, changed as little as possible.
fn wanted(state: &ClusterState, copies: u8, intentions: &Intentions) -> Vec<Wanted> {
    let is_eligible = |member: &Member| member.is_up() && member.mode == Mode::Active;
    let placed = |belongs: &dyn Fn(&Member) -> bool, copies: u8| {
        let members = || state.nodes().values().filter(|member| belongs(member));
        let node = |member: &Member| PlacementNode {
            id: member.id,
            weight: member.weight,
            zone: member.zone.clone(),
            region: member.region.clone(),
            eligible: is_eligible(member),
        };
        let nodes: Vec<PlacementNode> = members().map(node).collect();
        let may_stay = |node: &NodeId| state.node(*node).is_some_and(|m| is_eligible(m) && belongs(m));
        let seats = |(id, partition): (PartitionId, &PartitionState)| {
            let seats = intentions.goals.get(&id).unwrap_or(&partition.replicas);
            // Those that are on their way out stand last.
            seats.iter().copied().filter(may_stay).take(usize::from(copies)).collect()
        };
        let current: Vec<Vec<NodeId>> = (0..).map(PartitionId).zip(state.partitions()).map(seats).collect();
        place(&nodes, copies, &current)
    };
    let region = regions::home(state);
    let home = placed(&|member| !regions::is_apart(region, member), copies);
    let mut wanted: Vec<Wanted> = home.into_iter().map(|home| Wanted { home, ..Wanted::default() }).collect();
    let apart = state.nodes().values().filter(|member| regions::is_apart(region, member));
    let others: BTreeSet<&str> = apart.map(|member| member.region.as_str()).collect();
    let each = regions::copies_elsewhere(state);
    for region in others.into_iter().filter(|_| each > 0) {
        let seats = placed(&|member| member.region == region, each);
        wanted.iter_mut().zip(seats).for_each(|(wanted, seats)| wanted.apart.extend(seats));
    }
    wanted
}

/// Whether every partition is where it should be, with all its copies in sync.
pub fn is_settled(state: &ClusterState) -> bool {
    let Plan { changes, moves } = plan(state, &mut Intentions::default());
    let home = regions::home(state);
    let is_apart = |node: NodeId| state.node(node).is_some_and(|member| regions::is_apart(home, member));
    let whole = |partition: &PartitionState| {
        let mut waited_for = partition.replicas.iter().filter(|node| !is_apart(**node));
        partition.primary.is_some() && waited_for.all(|node| is_in_sync(partition, *node))
    };
    changes.is_empty() && moves.is_empty() && state.partitions().iter().all(whole)
}

fn is_in_sync(partition: &PartitionState, node: NodeId) -> bool {
    partition.in_sync.iter().any(|replica| replica.node == node)
}

/// The seats with `first` in front, then those wanted, then, unless all wanted are in sync and one of them leads,
/// those that hold what is committed still; last those that nobody waits for.
fn seats(partition: &PartitionState, first: NodeId, wanted: &Wanted) -> Vec<NodeId> {
    let Wanted { home, apart } = wanted;
    let settled = home.contains(&first) && home.iter().all(|node| is_in_sync(partition, *node));
    let mut seats = vec![first];
    let stay = partition.replicas.iter().filter(|node| !settled && is_in_sync(partition, **node));
    for node in home.iter().chain(stay).chain(apart) {
        if !seats.contains(node) && seats.len() < MAX_SEATS {
            seats.push(*node);
        }
    }
    seats
}

fn change(
    state: &ClusterState,
    partition: &PartitionState,
    wanted: &Wanted,
    (advanced, spared): (Option<NodeId>, bool),
) -> Option<(PlacementKind, Vec<NodeId>)> {
    if let Some(primary) = partition.primary {
        let replicas = seats(partition, primary.node, wanted);
        return (replicas != partition.replicas).then_some((PlacementKind::Seats, replicas));
    }
    let holder = |node: NodeId| partition.in_sync.iter().find(|replica| replica.node == node);
    let preferred = advanced.and_then(holder).or_else(|| wanted.home.iter().find_map(|node| holder(*node)));
    if let Some(&to) = preferred.or_else(|| partition.in_sync.first()) {
        return Some((PlacementKind::Promote { to }, seats(partition, to.node, wanted)));
    }
    if spared {
        // It may live on in a copy that nobody waited for: whether it goes on from that, or anew, somebody must decide.
        return None;
    }
    let node = state.node(*wanted.home.first()?)?;
    let to = Replica { node: node.id, incarnation: node.incarnation };
    Some((PlacementKind::Restart { to }, wanted.seats()))
}
