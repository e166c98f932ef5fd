//! Placement: which nodes hold which partition, as a sticky bounded rebalance.
//!
//! ```text
//! current seats --drop what may not stay--> fill what is missing --> even out seats --> even out primaries
//! ```
//! What is promised, in this order:
//! 1. replicas of a partition are on distinct nodes, and in as many distinct zones as there can be;
//! 2. every node's number of seats, and of primaries, is its weighted share rounded down or up. A zone with
//!    few nodes may make the share of seats uneven, because promise 1 comes first; primaries stay even;
//! 3. what is within these bounds stays: a join or a leave moves about as many seats as it must;
//! 4. distinct regions, as a promise where the shares allow it and as a wish otherwise;
//! 5. the ring's order of preference, among what is equal by all of the above.
//!
//! Shares are whole partitions, so the greatest node exceeds the mean by up to one partition: max/mean of
//! primaries is at most 1.05 from about 20 partitions a node on. 256 partitions do that for 12 nodes;
//! 100 nodes need 2048. With fewer the bound is still ceil(share), and that is the best there is.
//!
//! Everything here is a deterministic function of its arguments. Knows nothing of liveness or data: who calls
//! decides which nodes are eligible and when a seat may really move.

mod layout;
mod measure;
mod paths;
mod primaries;
mod quota;
mod seats;

pub use measure::{Balance, Moves};

use crate::Ring;
use layout::Layout;
use predis_types::{NodeId, PartitionId};

/// A node as placement sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementNode {
    /// Its id; of several entries with the same id the first counts.
    pub id: NodeId,
    /// Its share relative to others; 100 is an ordinary node, 0 takes no seats.
    pub weight: u32,
    /// Its zone, unique within its region. Nodes that do not use zones all name the same one.
    pub zone: String,
    /// Its region.
    pub region: String,
    /// Whether it may hold seats: false for a node that is draining, leaving or dead.
    pub eligible: bool,
}

/// New seats for every partition, primary first: `copies` of them, or as many as there are eligible nodes.
///
/// `current` has one element a partition, primary first, empty where there is no placement yet. Its order of
/// seats is the order in which survivors are preferred as primaries. Without eligible nodes nobody has a seat.
pub fn place(nodes: &[PlacementNode], copies: u8, current: &[Vec<NodeId>]) -> Vec<Vec<NodeId>> {
    let layout = Layout::new(nodes, usize::from(copies), current.len());
    if layout.copies == 0 {
        return vec![Vec::new(); current.len()];
    }
    let ring = Ring::new(layout.nodes.iter().map(|node| (node.id, node.weight)));
    let ranks: Vec<Vec<u16>> = (0..current.len()).map(|p| ranks(&ring, &layout, p)).collect();
    let before: Vec<Vec<usize>> =
        current.iter().map(|seats| seats.iter().filter_map(|&id| layout.index(id)).collect()).collect();

    let was: Vec<Option<usize>> =
        current.iter().map(|seats| seats.first().and_then(|&id| layout.index(id))).collect();
    let mut seats = seats::Seats::new(&layout, &ranks, before, &was);
    seats.drop_misplaced();
    seats.fill();
    seats.balance();

    let mut primaries = primaries::Primaries::new(&layout, &ranks, &seats, &was);
    primaries.balance();
    primaries.ordered().map(|held| held.into_iter().map(|at| layout.nodes[at].id).collect()).collect()
}

/// Every node's place in a partition's order of preference, by node index.
fn ranks(ring: &Ring, layout: &Layout, partition: usize) -> Vec<u16> {
    let mut ranks = vec![u16::MAX; layout.nodes.len()];
    for (rank, id) in ring.preference(PartitionId(partition as u16)).into_iter().enumerate() {
        if let Some(at) = layout.index(id) {
            ranks[at] = rank as u16;
        }
    }
    ranks
}

#[cfg(test)]
mod tests;
