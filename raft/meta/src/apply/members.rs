//! Members: issued, booted, judged dead, drained, weighed, removed.
//!
//! A boot and a death take a node out of everything it held; who takes over is a placement, another command.

use crate::{
    Addresses, ClusterState, Member, Mode, NewMember, Outcome, Rejected, Replica, Status,
    limits::{self, ensure_room},
};
use predis_types::{Epoch, Incarnation, NodeId, limits::MAX_NODES};

pub(super) fn issue(state: &mut ClusterState, at_ms: u64, member: &NewMember) -> Result<Outcome, Rejected> {
    if member.id != state.next_node_id {
        return Err(Rejected::NodeIdMoved { given: member.id, next: state.next_node_id });
    }
    limits::member(member)?;
    ensure_understands(state, member.metadata_version)?;
    ensure_room("node", state.nodes.len(), MAX_NODES)?;
    ensure_name_free(state, member.id, &member.name)?;
    state.next_node_id = NodeId(member.id.0.saturating_add(1));
    state.nodes.insert(member.id, member.clone().into_member(at_ms));
    Ok(Outcome::NodeIssued { node: member.id })
}

pub(super) fn boot(
    state: &mut ClusterState,
    at_ms: u64,
    (node, incarnation, metadata_version): (NodeId, Incarnation, u32),
    addrs: &Addresses,
    (zone, region): (&str, &str),
) -> Result<Outcome, Rejected> {
    let member = find(state, node)?;
    if incarnation <= member.incarnation {
        return Err(Rejected::IncarnationMoved { node, given: incarnation, stored: member.incarnation });
    }
    limits::addresses(addrs)?;
    limits::location("zone", zone)?;
    limits::location("region", region)?;
    limits::metadata_version(metadata_version)?;
    ensure_understands(state, metadata_version)?;
    ensure_name_free(state, node, &member.name)?;
    change(state, node, at_ms, |member| {
        (member.incarnation, member.status) = (incarnation, Status::Up);
        (member.addrs, member.zone, member.region) = (addrs.clone(), zone.to_owned(), region.to_owned());
        member.metadata_version = metadata_version;
    });
    Ok(vacate(state, node))
}

pub(super) fn down(
    state: &mut ClusterState,
    at_ms: u64,
    node: NodeId,
    incarnation: Incarnation,
) -> Result<Outcome, Rejected> {
    ensure_live(state, Replica { node, incarnation })?;
    change(state, node, at_ms, |member| member.status = Status::Down);
    Ok(vacate(state, node))
}

pub(super) fn set_mode(
    state: &mut ClusterState,
    at_ms: u64,
    node: NodeId,
    mode: Mode,
) -> Result<Outcome, Rejected> {
    find(state, node)?;
    change(state, node, at_ms, |member| member.mode = mode);
    Ok(Outcome::Done)
}

pub(super) fn set_weight(
    state: &mut ClusterState,
    at_ms: u64,
    node: NodeId,
    weight: u32,
) -> Result<Outcome, Rejected> {
    find(state, node)?;
    limits::weight(weight)?;
    change(state, node, at_ms, |member| member.weight = weight);
    Ok(Outcome::Done)
}

pub(super) fn remove(state: &mut ClusterState, node: NodeId) -> Result<Outcome, Rejected> {
    let member = find(state, node)?;
    if member.is_up() && member.mode != Mode::Leaving {
        return Err(Rejected::NodeIsActive { node });
    }
    if let Some(partition) = state.seats_of(node).next() {
        return Err(Rejected::NodeHoldsPartition { node, partition });
    }
    state.nodes.remove(&node);
    state.roles.retain(|_, lease| lease.holder.node != node);
    Ok(Outcome::Done)
}

/// Takes a node out of every in-sync set, and out of every primaryship with a new epoch.
fn vacate(state: &mut ClusterState, node: NodeId) -> Outcome {
    let (mut without_primary, mut without_survivor) = (Vec::new(), Vec::new());
    for (id, partition) in (0..=u16::MAX).map(predis_types::PartitionId).zip(&mut state.partitions) {
        let held = partition.in_sync.len();
        partition.in_sync.retain(|replica| replica.node != node);
        if partition.in_sync.len() == held {
            continue;
        }
        partition.version = partition.version.saturating_add(1);
        if partition.in_sync.is_empty() {
            without_survivor.push(id);
        }
        if partition.primary.is_some_and(|primary| primary.node == node) {
            partition.primary = None;
            partition.epoch = Epoch(partition.epoch.0.saturating_add(1));
            without_primary.push(id);
        }
    }
    Outcome::Vacated { without_primary, without_survivor }
}

/// Refuses a replica that is not its node's current boot, or whose node is down.
pub(super) fn ensure_live(state: &ClusterState, replica: Replica) -> Result<(), Rejected> {
    let Replica { node, incarnation } = replica;
    let member = find(state, node)?;
    if incarnation != member.incarnation {
        return Err(Rejected::IncarnationMoved { node, given: incarnation, stored: member.incarnation });
    }
    if member.is_up() { Ok(()) } else { Err(Rejected::NodeIsDown { node }) }
}

/// Refuses a node to which the cluster's metadata would be unreadable. In words that members of every version read.
fn ensure_understands(state: &ClusterState, version: u32) -> Result<(), Rejected> {
    let level = state.level();
    if version >= level {
        return Ok(());
    }
    let rule = format!("must be at least {level}, the version of the cluster's metadata: upgrade the node");
    Err(Rejected::Invalid { field: "metadata_version".into(), value: version.to_string(), rule: rule.into() })
}

/// Names are unique among members that are up: a wiped node may come back, under a new id, with the name of
/// its dead self.
fn ensure_name_free(state: &ClusterState, node: NodeId, name: &str) -> Result<(), Rejected> {
    let taken = state.nodes.values().any(|other| other.id != node && other.is_up() && other.name == name);
    if taken { Err(Rejected::Taken { what: "node name".into(), name: name.to_owned() }) } else { Ok(()) }
}

fn find(state: &ClusterState, node: NodeId) -> Result<&Member, Rejected> {
    state.node(node).ok_or(Rejected::UnknownNode { node })
}

fn change(state: &mut ClusterState, node: NodeId, at_ms: u64, edit: impl FnOnce(&mut Member)) {
    if let Some(member) = state.nodes.get_mut(&node) {
        edit(member);
        member.changed_at_ms = at_ms;
    }
}
