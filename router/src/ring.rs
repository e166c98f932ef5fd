//! The consistent-hash ring: which nodes a partition would rather live on, best first.
//!
//! ```text
//! node -> 200 points for every 100 of weight --\
//! partition -> one point ----------------------> clockwise walk, each node counted once
//! ```
//! Preference only: it balances nothing and knows no zones. The placement bounds it, and the placement that
//! was agreed on is the truth. Karger et al., "Consistent Hashing and Random Trees", STOC 1997.

use hashring::HashRing;
use predis_types::{NodeId, PartitionId, mix64};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash, Hasher};

/// Points on the ring for a node of weight 100.
pub const VIRTUAL_NODES: u32 = 200;

/// More points than this a node would only cost memory: preference needs no finer grain.
const MOST_POINTS: u64 = 4000;

/// The ring of one set of nodes and weights.
pub struct Ring {
    ring: HashRing<Point, StableHash>,
    /// The points in ring order, each as an index into `nodes`, for walking.
    walk: Vec<u32>,
    /// The points' hashes, in the same order.
    hashes: Vec<u64>,
    /// Ascending.
    nodes: Vec<NodeId>,
}

impl Ring {
    /// A ring of these nodes and weights (100 is an ordinary node; 0 keeps a node off the ring). The order of
    /// the arguments does not matter.
    pub fn new(weights: impl IntoIterator<Item = (NodeId, u32)>) -> Ring {
        let weights: BTreeMap<NodeId, u32> = weights.into_iter().filter(|&(_, weight)| weight > 0).collect();
        let mut points: Vec<Point> = weights
            .iter()
            .flat_map(|(&node, &weight)| (0..points(weight)).map(move |index| Point { node, index }))
            .collect();
        let mut ring = HashRing::with_hasher(StableHash);
        ring.batch_add(points.clone());
        // The library finds a point but does not walk on from it; this is its order, ties included.
        points.sort_by_cached_key(|point| StableHash.hash_one(point));
        let nodes: Vec<NodeId> = weights.into_keys().collect();
        let index = |point: &Point| nodes.partition_point(|&node| node < point.node) as u32;
        let walk = points.iter().map(index).collect();
        let hashes = points.iter().map(|point| StableHash.hash_one(point)).collect();
        Ring { ring, walk, hashes, nodes }
    }

    /// Every node on the ring, each once, in the order in which a partition prefers them.
    pub fn preference(&self, partition: PartitionId) -> Vec<NodeId> {
        let Some(first) = self.ring.get(&Key(partition)) else { return Vec::new() };
        let first = StableHash.hash_one(first);
        let start = self.hashes.partition_point(|&hash| hash < first);
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut seen = vec![false; self.nodes.len()];
        for &at in self.walk[start..].iter().chain(&self.walk[..start]) {
            if order.len() == self.nodes.len() {
                break;
            }
            if !std::mem::replace(&mut seen[at as usize], true) {
                order.push(self.nodes[at as usize]);
            }
        }
        order
    }
}

fn points(weight: u32) -> u32 {
    (u64::from(weight) * u64::from(VIRTUAL_NODES)).div_ceil(100).min(MOST_POINTS) as u32
}

/// One virtual node.
#[derive(Clone, Copy)]
struct Point {
    node: NodeId,
    index: u32,
}

impl Hash for Point {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.node.0);
        state.write_u64(u64::from(self.index));
    }
}

/// A partition as a ring key; the tag keeps it from hashing like a point.
struct Key(PartitionId);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::MAX);
        state.write_u64(u64::from(self.0.0));
    }
}

/// Builds [`StableHasher`]s, all alike.
#[derive(Clone)]
struct StableHash;

impl BuildHasher for StableHash {
    type Hasher = StableHasher;

    fn build_hasher(&self) -> StableHasher {
        StableHasher(0)
    }
}

/// SplitMix64's finaliser over 64-bit words. The ring's keys write only words, so neither byte order nor a
/// standard library's way of hashing tuples can change where they fall.
struct StableHasher(u64);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix64(self.0 ^ word);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(nodes: u64) -> Ring {
        Ring::new((1..=nodes).map(|n| (NodeId(n), 100)))
    }

    fn firsts(ring: &Ring) -> BTreeMap<NodeId, usize> {
        let mut counts = BTreeMap::new();
        for p in 0..16384 {
            *counts.entry(ring.preference(PartitionId(p))[0]).or_default() += 1;
        }
        counts
    }

    #[test]
    fn positions_are_the_same_on_every_machine() {
        let ring = equal(5);
        let order = |p| ring.preference(PartitionId(p)).iter().map(|n| n.0).collect::<Vec<_>>();
        assert_eq!([order(0), order(1), order(255)], GOLDEN.map(|o| o.to_vec()));
    }

    const GOLDEN: [[u64; 5]; 3] = [[1, 4, 2, 3, 5], [4, 2, 1, 3, 5], [4, 1, 2, 5, 3]];

    #[test]
    fn every_node_is_listed_once_and_argument_order_does_not_matter() {
        let (a, b) = (equal(10), Ring::new((1..=10).rev().map(|n| (NodeId(n), 100))));
        for p in 0..256 {
            let order = a.preference(PartitionId(p));
            assert_eq!(order, b.preference(PartitionId(p)));
            let mut sorted = order.clone();
            sorted.sort();
            assert_eq!(sorted, (1..=10).map(NodeId).collect::<Vec<_>>());
        }
    }

    #[test]
    fn weight_sets_the_share_of_first_preferences() {
        let counts = firsts(&Ring::new([(NodeId(1), 100), (NodeId(2), 300), (NodeId(3), 0)]));
        let share = counts[&NodeId(2)] as f64 / 16384.0;
        assert!((0.65..0.85).contains(&share), "{share}");
        assert!(!counts.contains_key(&NodeId(3)));
    }

    #[test]
    fn a_new_node_only_takes() {
        let (before, after) = (equal(10), equal(11));
        for p in 0..1024 {
            let mut order = after.preference(PartitionId(p));
            order.retain(|n| n.0 != 11);
            assert_eq!(order, before.preference(PartitionId(p)));
        }
    }

    #[test]
    fn an_empty_ring_prefers_nobody() {
        assert!(Ring::new([]).preference(PartitionId(0)).is_empty());
    }
}
