//! Placement: seats, and which of the seated is primary.
//!
//! Every change names the epoch and set version it was computed from. Whether a placement is a good one is for
//! the proposer; here it only has to be safe. That a partition handed over is empty is the primary's word.

use super::members::ensure_live;
use crate::{
    ClusterState, Outcome, PartitionState, PlacementChange, PlacementKind, Rejected, Replica,
    limits::{MAX_PLACEMENT_CHANGES, MAX_SEATS, ensure},
};
use predis_types::{Epoch, NodeId, PartitionId};
use std::collections::BTreeSet;

pub(super) fn place(
    state: &mut ClusterState,
    at_ms: u64,
    changes: &[PlacementChange],
) -> Result<Outcome, Rejected> {
    let bounded = (1..=MAX_PLACEMENT_CHANGES).contains(&changes.len());
    ensure(bounded, "changes", changes.len(), "must be 1 to 256")?;
    let mut named = BTreeSet::new();
    for change in changes {
        ensure(named.insert(change.partition), "changes", change.partition, "must name a partition once")?;
        validate(state, change)?;
    }
    let mut lost = BTreeSet::new();
    for change in changes {
        if let Some(partition) = state.partitions.get_mut(usize::from(change.partition.0)) {
            let lost_before = partition.lost;
            commit(partition, at_ms, change);
            if partition.lost > lost_before {
                lost.insert(change.partition);
            }
        }
    }
    Ok(Outcome::Placed { lost: lost.into_iter().collect() })
}

/// The partition, provided that neither its epoch nor its set version has moved on.
pub(super) fn unmoved(
    state: &ClusterState,
    id: PartitionId,
    (epoch, version): (Epoch, u64),
) -> Result<&PartitionState, Rejected> {
    let partition = state.partition(id).ok_or(Rejected::UnknownPartition { partition: id })?;
    if (partition.epoch, partition.version) == (epoch, version) {
        return Ok(partition);
    }
    Err(Rejected::PartitionMoved { partition: id, epoch: partition.epoch, version: partition.version })
}

fn validate(state: &ClusterState, change: &PlacementChange) -> Result<(), Rejected> {
    let id = change.partition;
    let partition = unmoved(state, id, (change.epoch, change.version))?;
    ensure_seats(state, &change.replicas)?;
    let first = change.replicas.first().copied();
    let must_be_first = match change.kind {
        PlacementKind::Promote { to } => {
            if !partition.in_sync.contains(&to) {
                return Err(Rejected::NotInSync { partition: id, replica: to });
            }
            Some(to.node)
        }
        PlacementKind::Restart { to } => {
            if !partition.is_vacant() {
                return Err(Rejected::HasSurvivor { partition: id });
            }
            ensure_live(state, to)?;
            Some(to.node)
        }
        PlacementKind::HandOver { from, to } => {
            if partition.primary != Some(from) {
                return Err(Rejected::NotPrimary { partition: id, replica: from });
            }
            ensure_not_primary(partition, id, to)?;
            ensure_live(state, to)?;
            Some(to.node)
        }
        PlacementKind::Seats => {
            let stays = |replica: &Replica| change.replicas.contains(&replica.node);
            if !partition.in_sync.is_empty() && !partition.in_sync.iter().any(stays) {
                return Err(Rejected::WouldLose { partition: id });
            }
            partition.primary.map(|primary| primary.node)
        }
    };
    let seated = must_be_first.is_none() || must_be_first == first;
    ensure(seated, "replicas", listed(&change.replicas), "must begin with the primary's node")
}

fn ensure_seats(state: &ClusterState, seats: &[NodeId]) -> Result<(), Rejected> {
    ensure((1..=MAX_SEATS).contains(&seats.len()), "replicas", seats.len(), "must be 1 to 10 seats")?;
    let distinct: BTreeSet<&NodeId> = seats.iter().collect();
    ensure(distinct.len() == seats.len(), "replicas", listed(seats), "must be distinct nodes")?;
    match seats.iter().find(|&&node| state.node(node).is_none()) {
        Some(&node) => Err(Rejected::UnknownNode { node }),
        None => Ok(()),
    }
}

fn listed(seats: &[NodeId]) -> String {
    seats.iter().map(NodeId::to_string).collect::<Vec<_>>().join(",")
}

fn ensure_not_primary(partition: &PartitionState, id: PartitionId, to: Replica) -> Result<(), Rejected> {
    if partition.primary == Some(to) {
        return Err(Rejected::AlreadyPrimary { partition: id, replica: to });
    }
    Ok(())
}

/// Makes a validated change.
fn commit(partition: &mut PartitionState, at_ms: u64, change: &PlacementChange) {
    let seated: BTreeSet<Replica> =
        partition.in_sync.iter().filter(|replica| change.replicas.contains(&replica.node)).copied().collect();
    let (primary, in_sync) = match change.kind {
        PlacementKind::Promote { to } => (Some(to), seated),
        PlacementKind::Restart { to } | PlacementKind::HandOver { to, .. } => {
            (Some(to), BTreeSet::from([to]))
        }
        PlacementKind::Seats => (partition.primary, seated),
    };
    if matches!(change.kind, PlacementKind::Restart { .. }) && partition.epoch > Epoch(0) {
        partition.lost = partition.lost.saturating_add(1);
        partition.lost_at_ms = Some(at_ms);
    }
    // Promoting the primary itself is a fence: what was proposed under the old epoch can no longer commit.
    if partition.primary != primary || matches!(change.kind, PlacementKind::Promote { .. }) {
        partition.epoch = Epoch(partition.epoch.0.saturating_add(1));
        partition.primary = primary;
    }
    if partition.replicas != change.replicas || partition.in_sync != in_sync {
        partition.version = partition.version.saturating_add(1);
        partition.replicas.clone_from(&change.replicas);
        partition.in_sync = in_sync;
    }
}
