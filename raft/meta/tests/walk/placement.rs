//! Random placements and in-sync sets, mostly such as a leader and a primary would propose.

use super::Draw;
use predis_meta::{Action, InSyncChange, PlacementChange, PlacementKind, Replica};
use predis_types::{Epoch, NodeId, PartitionId};
use std::collections::BTreeSet;

fn seen(draw: &mut Draw<'_>, id: PartitionId) -> (Epoch, u64) {
    let (epoch, version) = draw.state.partition(id).map_or((Epoch(0), 0), |p| (p.epoch, p.version));
    if draw.rarely(20) { (epoch, version + 1) } else { (epoch, version) }
}

pub fn place(draw: &mut Draw<'_>) -> Action {
    let count = 1 + draw.below(3);
    Action::Place { changes: (0..count).map(|_| change(draw)).collect() }
}

fn change(draw: &mut Draw<'_>) -> PlacementChange {
    let partition = draw.partition();
    let (epoch, version) = seen(draw, partition);
    let kind = kind(draw, partition);
    let first = match kind {
        PlacementKind::Promote { to }
        | PlacementKind::Restart { to }
        | PlacementKind::HandOver { to, .. } => Some(to.node),
        PlacementKind::Seats => draw.state.partition(partition).and_then(|p| p.primary).map(|p| p.node),
    };
    let mut replicas: Vec<NodeId> = first.into_iter().collect();
    for _ in 0..draw.below(4) {
        let node = draw.node();
        if !replicas.contains(&node) || draw.rarely(30) {
            replicas.push(node);
        }
    }
    PlacementChange { partition, epoch, version, replicas, kind }
}

fn kind(draw: &mut Draw<'_>, id: PartitionId) -> PlacementKind {
    let node = draw.node();
    let anybody = draw.boot_of(node);
    let Some(partition) = draw.state.partition(id) else { return PlacementKind::Seats };
    if draw.rarely(8) {
        return PlacementKind::Restart { to: anybody };
    }
    let in_sync: Vec<Replica> = partition.in_sync.iter().copied().collect();
    match (partition.primary, draw.below(3)) {
        (_, 0) => PlacementKind::Seats,
        (Some(from), 1) => PlacementKind::HandOver { from, to: anybody },
        _ if partition.is_vacant() => PlacementKind::Restart { to: anybody },
        _ => PlacementKind::Promote { to: draw.pick(&in_sync).unwrap_or(anybody) },
    }
}

pub fn change_in_sync(draw: &mut Draw<'_>) -> Action {
    let count = if draw.rarely(2) { 1 } else { draw.below(4) };
    Action::ChangeInSync { changes: (0..count).map(|_| in_sync(draw)).collect() }
}

fn in_sync(draw: &mut Draw<'_>) -> InSyncChange {
    let partition = draw.partition();
    let (epoch, version) = seen(draw, partition);
    let held = draw.state.partition(partition);
    let seats = held.map(|p| p.replicas.clone()).unwrap_or_default();
    let mut in_sync: BTreeSet<Replica> = held.and_then(|p| p.primary).into_iter().collect();
    for node in seats {
        if !draw.rarely(3) {
            in_sync.insert(draw.boot_of(node));
        }
    }
    InSyncChange { partition, epoch, version, in_sync }
}
