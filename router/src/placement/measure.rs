//! How good a placement is, and how much one changes another: for benches, tests and status displays.
//!
//! Decides nothing.

use super::PlacementNode;
use predis_types::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// How evenly and how far apart a placement puts things.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// Primaries of the fullest node relative to its weighted share; 1.0 is perfectly even.
    pub primaries_max_over_mean: f64,
    /// The same for all seats.
    pub seats_max_over_mean: f64,
    /// Partitions whose seats lie in fewer distinct zones than they could.
    pub zone_violations: usize,
    /// Partitions whose seats lie in fewer distinct regions than they could.
    pub region_violations: usize,
    /// Partitions with a node twice, an ineligible node, or fewer seats than there could be.
    pub seat_violations: usize,
}

impl Balance {
    /// Measures `seats`, primary first, against the eligible of `nodes`. Partitions are equally many slots, so
    /// counting partitions and counting slots give the same ratios.
    pub fn of(nodes: &[PlacementNode], copies: u8, seats: &[Vec<NodeId>]) -> Balance {
        let eligible: BTreeMap<NodeId, &PlacementNode> =
            nodes.iter().filter(|n| n.eligible && n.weight > 0).map(|n| (n.id, n)).collect();
        let copies = usize::from(copies).min(eligible.len());
        let zone = |node: &PlacementNode| (node.region.clone(), node.zone.clone());
        let zones = copies.min(eligible.values().map(|n| zone(n)).collect::<BTreeSet<_>>().len());
        let regions = copies.min(eligible.values().map(|n| &n.region).collect::<BTreeSet<_>>().len());
        let (mut zone_violations, mut region_violations, mut seat_violations) = (0, 0, 0);
        for held in seats {
            let known: BTreeMap<NodeId, &PlacementNode> =
                held.iter().filter_map(|id| Some((*id, *eligible.get(id)?))).collect();
            seat_violations += usize::from(known.len() != copies || held.len() != copies);
            zone_violations +=
                usize::from(known.values().map(|n| zone(n)).collect::<BTreeSet<_>>().len() < zones);
            region_violations +=
                usize::from(known.values().map(|n| &n.region).collect::<BTreeSet<_>>().len() < regions);
        }
        Balance {
            primaries_max_over_mean: max_over_mean(&eligible, seats.iter().filter_map(|held| held.first())),
            seats_max_over_mean: max_over_mean(&eligible, seats.iter().flatten()),
            zone_violations,
            region_violations,
            seat_violations,
        }
    }
}

fn max_over_mean<'a>(
    eligible: &BTreeMap<NodeId, &PlacementNode>,
    holders: impl Iterator<Item = &'a NodeId>,
) -> f64 {
    let mut counts: BTreeMap<NodeId, u64> = BTreeMap::new();
    holders.for_each(|&id| *counts.entry(id).or_default() += 1);
    let total: u64 = counts.values().sum();
    let weights: u64 = eligible.values().map(|node| u64::from(node.weight)).sum();
    let ratio = |(id, node): (&NodeId, &&PlacementNode)| {
        let share = total as f64 * f64::from(node.weight) / weights as f64;
        counts.get(id).copied().unwrap_or(0) as f64 / share
    };
    if total == 0 { 1.0 } else { eligible.iter().map(ratio).fold(0.0, f64::max) }
}

/// What changes from one placement to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Seats given to nodes that did not hold one in that partition: data to copy.
    pub seats: usize,
    /// Partitions whose primary becomes another node.
    pub primaries: usize,
}

impl Moves {
    /// Counts the changes.
    pub fn between(before: &[Vec<NodeId>], after: &[Vec<NodeId>]) -> Moves {
        let mut moves = Moves::default();
        for (old, new) in before.iter().zip(after) {
            moves.seats += new.iter().filter(|id| !old.contains(id)).count();
            moves.primaries += usize::from(old.first() != new.first());
        }
        moves
    }
}
