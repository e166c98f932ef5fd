//! The nodes of one placement as indices, with their zones, regions and bounds.
//!
//! Knows no partition's seats.

use super::PlacementNode;
use super::quota::{self, Bounds};
use predis_types::NodeId;
use std::collections::BTreeMap;

/// One eligible node.
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) weight: u32,
    /// Index of its (region, zone).
    pub(super) zone: usize,
    /// Index of its region.
    pub(super) region: usize,
}

/// What every step of a placement needs to know of the nodes.
pub(super) struct Layout {
    /// Eligible nodes, ascending by id.
    pub(super) nodes: Vec<Member>,
    /// Seats a partition gets.
    pub(super) copies: usize,
    /// Distinct zones that a partition's seats must lie in.
    pub(super) zones_required: usize,
    /// Distinct regions that a partition's seats must lie in.
    pub(super) regions_required: usize,
    /// Seats that each node may have.
    pub(super) seats: Vec<Bounds>,
    /// Primaries that each node may have.
    pub(super) primaries: Vec<Bounds>,
}

impl Layout {
    pub(super) fn new(nodes: &[PlacementNode], copies: usize, partitions: usize) -> Layout {
        let mut eligible: BTreeMap<NodeId, &PlacementNode> = BTreeMap::new();
        for node in nodes {
            eligible.entry(node.id).or_insert(node);
        }
        eligible.retain(|_, node| node.eligible && node.weight > 0);
        let regions = indices(eligible.values().map(|node| node.region.as_str()));
        let zones = indices(eligible.values().map(|node| (node.region.as_str(), node.zone.as_str())));
        let nodes: Vec<Member> = eligible
            .values()
            .map(|node| Member {
                id: node.id,
                weight: node.weight,
                zone: zones[&(node.region.as_str(), node.zone.as_str())],
                region: regions[node.region.as_str()],
            })
            .collect();

        let copies = copies.min(nodes.len());
        let weights: Vec<u32> = nodes.iter().map(|node| node.weight).collect();
        let zone_of: Vec<usize> = nodes.iter().map(|node| node.zone).collect();
        let shares = quota::seat_shares(&weights, &zone_of, zones.len(), copies, partitions);
        // Distinct regions are required where the even shares already permit them.
        let mut by_region = vec![0.0; regions.len()];
        for (node, share) in nodes.iter().zip(&shares) {
            by_region[node.region] += share;
        }
        let regions_fit = quota::spread_fits(&by_region, copies, partitions);
        Layout {
            copies,
            zones_required: copies.min(zones.len()),
            regions_required: if regions_fit { copies.min(regions.len()) } else { 0 },
            seats: shares.into_iter().map(Bounds::around).collect(),
            primaries: quota::primary_bounds(&weights, partitions),
            nodes,
        }
    }

    /// The index of a node, if it is eligible.
    pub(super) fn index(&self, id: NodeId) -> Option<usize> {
        self.nodes.binary_search_by_key(&id, |node| node.id).ok()
    }

    /// How many seats in `held` would have to be given up for the rest to be able to be completed with the
    /// distinct zones and regions required: 0 when nothing is wrong.
    pub(super) fn shortfall(&self, held: impl Iterator<Item = usize> + Clone) -> usize {
        let size = held.clone().count();
        let lacking =
            |required: usize, distinct: usize| (required + size).saturating_sub(distinct + self.copies);
        let zones = distinct(held.clone().map(|at| self.nodes[at].zone));
        let regions = distinct(held.map(|at| self.nodes[at].region));
        lacking(self.zones_required, zones) + lacking(self.regions_required, regions)
    }
}

fn indices<T: Ord>(names: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut indices: BTreeMap<T, usize> = names.map(|name| (name, 0)).collect();
    indices.values_mut().enumerate().for_each(|(at, index)| *index = at);
    indices
}

/// Copies are few, so comparing each with those before it beats any set.
fn distinct(values: impl Iterator<Item = usize> + Clone) -> usize {
    values.clone().enumerate().filter(|&(at, value)| !values.clone().take(at).any(|v| v == value)).count()
}
