//! `Topology`: the immutable picture of the cluster that every request is routed by.
//!
//! ```text
//! slot -> partition -> Owner { primary, epoch, in-sync replicas } -> NodeInfo { addresses, zone }
//! ```
//! Built by whoever watches the agreed state and published whole; never changed in place. Knows nothing of
//! leases: whether the node it names may answer is decided on that node.

use predis_types::{ClusterId, Epoch, NodeId, PartitionCount, PartitionId, SLOTS, Slot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where something listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// A host name or an IP address; an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Endpoint {
    /// An endpoint from its two parts.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Endpoint { host: host.into(), port }
    }
}

impl fmt::Display for Endpoint {
    /// `host:port` as Redis Cluster writes it, IPv6 addresses without brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What others need to know of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Where its RESP front listens, as clients are told.
    pub resp: Endpoint,
    /// Where its gRPC front listens.
    pub grpc: Endpoint,
    /// Its zone, unique within its region; empty when zones are not used.
    pub zone: String,
    /// Its region; empty when regions are not used.
    pub region: String,
    /// Whether the agreed state holds it to be alive.
    pub up: bool,
}

/// Who serves one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The node that may write, when there is one.
    pub primary: Option<NodeId>,
    /// The partition's generation.
    pub epoch: Epoch,
    /// The in-sync replicas besides the primary.
    pub replicas: Vec<NodeId>,
    /// Other nodes that hold a copy, or are to.
    pub others: Vec<NodeId>,
}

/// Where a slot's requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this node, the partition's primary in `epoch`.
    Primary {
        /// The partition that the slot lies in.
        partition: PartitionId,
        /// Its primary.
        node: NodeId,
        /// Its generation.
        epoch: Epoch,
    },
    /// Nowhere: the partition has no primary, or its primary is not a member any more.
    Unserved {
        /// The partition that the slot lies in.
        partition: PartitionId,
    },
}

/// A run of adjacent slots with the same primary and replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRange {
    /// The first slot.
    pub start: u16,
    /// The last slot, inclusive, as Redis Cluster writes ranges.
    pub end: u16,
    /// The node that serves writes.
    pub primary: NodeId,
    /// The in-sync replicas, ascending.
    pub replicas: Vec<NodeId>,
}

/// Every range that one set of owners serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardRanges {
    /// The node that serves writes.
    pub primary: NodeId,
    /// The in-sync replicas, ascending.
    pub replicas: Vec<NodeId>,
    /// First and last slot of each range, inclusive, ascending.
    pub ranges: Vec<(u16, u16)>,
}

/// The picture itself. `owners` has one element a partition; a shorter list leaves the rest unserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Grows with every change of the agreed state it was built from.
    pub version: u64,
    /// Which cluster this is.
    pub cluster: ClusterId,
    /// How many partitions the slots are cut into.
    pub partitions: PartitionCount,
    /// The members.
    pub nodes: BTreeMap<NodeId, NodeInfo>,
    /// Who serves each partition, by its number.
    pub owners: Vec<Owner>,
}

impl Topology {
    /// The picture before anything is known: no members, every slot unserved.
    pub fn empty(cluster: ClusterId, partitions: PartitionCount) -> Self {
        Topology { version: 0, cluster, partitions, nodes: BTreeMap::new(), owners: Vec::new() }
    }

    /// Who owns a partition, or `None` when nothing is known of it.
    pub fn owner(&self, partition: PartitionId) -> Option<&Owner> {
        self.owners.get(usize::from(partition.0))
    }

    /// A member's addresses.
    pub fn node(&self, node: NodeId) -> Option<&NodeInfo> {
        self.nodes.get(&node)
    }

    /// Where a slot's requests go. No allocation, no search but one map look-up.
    pub fn route(&self, slot: Slot) -> Route {
        self.route_partition(self.partitions.partition_of(slot))
    }

    /// Where a partition's requests go.
    pub fn route_partition(&self, partition: PartitionId) -> Route {
        match self.owner(partition).and_then(|owner| Some((owner.primary?, owner.epoch))) {
            Some((node, epoch)) if self.nodes.contains_key(&node) => {
                Route::Primary { partition, node, epoch }
            }
            _ => Route::Unserved { partition },
        }
    }

    /// The same cluster as it looks to a tenant all of whose keys live in `home`: that partition's owner has every
    /// slot.
    pub fn seen_from(&self, home: PartitionId) -> Topology {
        let owner = self.owner(home).cloned().unwrap_or_default();
        Topology { owners: vec![owner; self.owners.len()], ..self.clone() }
    }

    /// The served slots as the fewest ranges, ascending: adjacent partitions with the same primary and the
    /// same set of replicas are one range. Unserved slots are in none. For CLUSTER SLOTS.
    pub fn slot_ranges(&self) -> Vec<SlotRange> {
        let mut ranges: Vec<SlotRange> = Vec::new();
        for partition in self.partitions.iter() {
            let Some((primary, replicas)) = self.serving(partition) else { continue };
            let slots = self.partitions.slots_of(partition);
            match ranges.last_mut() {
                Some(last)
                    if last.end + 1 == slots.start
                        && last.primary == primary
                        && last.replicas == replicas =>
                {
                    last.end = slots.end - 1;
                }
                _ => ranges.push(SlotRange { start: slots.start, end: slots.end - 1, primary, replicas }),
            }
        }
        ranges
    }

    /// The ranges grouped by who serves them, ordered by primary and then by replicas. For CLUSTER SHARDS.
    pub fn shards(&self) -> Vec<ShardRanges> {
        type Owners = (NodeId, Vec<NodeId>);
        let mut shards: BTreeMap<Owners, Vec<(u16, u16)>> = BTreeMap::new();
        for range in self.slot_ranges() {
            shards.entry((range.primary, range.replicas)).or_default().push((range.start, range.end));
        }
        let shard = |((primary, replicas), ranges)| ShardRanges { primary, replicas, ranges };
        shards.into_iter().map(shard).collect()
    }

    /// The slots that each node is primary of, as the fewest ranges; members without any have an empty list.
    /// For CLUSTER NODES.
    pub fn primary_ranges(&self) -> BTreeMap<NodeId, Vec<(u16, u16)>> {
        let mut of: BTreeMap<NodeId, Vec<(u16, u16)>> = self.nodes.keys().map(|&n| (n, Vec::new())).collect();
        for range in self.slot_ranges() {
            let ranges = of.entry(range.primary).or_default();
            match ranges.last_mut() {
                Some(last) if last.1 + 1 == range.start => last.1 = range.end,
                _ => ranges.push((range.start, range.end)),
            }
        }
        of
    }

    /// How many slots have a primary. For CLUSTER INFO.
    pub fn served_slots(&self) -> u16 {
        let width = SLOTS / self.partitions.get();
        let served = self.partitions.iter().filter(|&partition| self.serving(partition).is_some()).count();
        width * served as u16
    }

    /// The greatest epoch of any partition. For CLUSTER INFO.
    pub fn greatest_epoch(&self) -> Epoch {
        self.owners.iter().map(|owner| owner.epoch).max().unwrap_or_default()
    }

    fn serving(&self, partition: PartitionId) -> Option<(NodeId, Vec<NodeId>)> {
        let owner = self.owner(partition)?;
        let primary = owner.primary.filter(|node| self.nodes.contains_key(node))?;
        let mut replicas: Vec<NodeId> =
            owner.replicas.iter().copied().filter(|n| *n != primary && self.nodes.contains_key(n)).collect();
        replicas.sort_unstable();
        replicas.dedup();
        Some((primary, replicas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(count: u16, primaries: &[Option<u64>]) -> Topology {
        let mut t = Topology::empty(ClusterId(7), PartitionCount::new(count).unwrap());
        t.nodes = (1..=3).map(|n| (NodeId(n), NodeInfo::default())).collect();
        t.owners = primaries
            .iter()
            .map(|p| Owner { primary: p.map(NodeId), epoch: Epoch(4), ..Owner::default() })
            .collect();
        t
    }

    #[test]
    fn routes_follow_owners_and_unknown_is_unserved() {
        let t = topology(4, &[Some(1), None, Some(9)]);
        let route = |slot| t.route(Slot::new(slot).unwrap());
        assert_eq!(route(0), Route::Primary { partition: PartitionId(0), node: NodeId(1), epoch: Epoch(4) });
        assert_eq!(route(4096), Route::Unserved { partition: PartitionId(1) }, "no primary");
        assert_eq!(route(8192), Route::Unserved { partition: PartitionId(2) }, "primary is not a member");
        assert_eq!(route(16383), Route::Unserved { partition: PartitionId(3) }, "nothing known");
        assert_eq!(t.served_slots(), 4096);
        assert_eq!(t.greatest_epoch(), Epoch(4));
    }

    #[test]
    fn adjacent_partitions_merge_only_with_the_same_owners() {
        let mut t = topology(8, &[Some(1), Some(1), Some(2), None, Some(2), Some(1), Some(1), Some(1)]);
        t.owners[5].replicas = vec![NodeId(3), NodeId(2)];
        t.owners[6].replicas = vec![NodeId(2), NodeId(3)];
        let ranges = t.slot_ranges();
        let spans: Vec<_> = ranges.iter().map(|r| (r.start, r.end, r.primary.0, r.replicas.len())).collect();
        assert_eq!(
            spans,
            [
                (0, 4095, 1, 0),
                (4096, 6143, 2, 0),
                (8192, 10239, 2, 0),
                (10240, 14335, 1, 2),
                (14336, 16383, 1, 0)
            ]
        );
        let shards = t.shards();
        assert_eq!(shards.len(), 3);
        assert_eq!(shards[0].ranges, [(0, 4095), (14336, 16383)]);
        let primary = t.primary_ranges();
        assert_eq!(primary[&NodeId(1)], [(0, 4095), (10240, 16383)], "replicas do not matter here");
        assert_eq!(primary[&NodeId(3)], []);
    }

    #[test]
    fn ranges_cover_exactly_the_served_slots() {
        for count in [1u16, 2, 256, 16384] {
            let primaries: Vec<Option<u64>> =
                (0..u64::from(count)).map(|p| (p % 7 != 3).then_some(p / 5 % 3 + 1)).collect();
            let t = topology(count, &primaries);
            let ranges = t.slot_ranges();
            assert!(ranges.windows(2).all(|w| w[0].end < w[1].start));
            for slot in 0..SLOTS {
                let listed = ranges.iter().find(|r| r.start <= slot && slot <= r.end).map(|r| r.primary);
                let routed = match t.route(Slot::new(slot).unwrap()) {
                    Route::Primary { node, .. } => Some(node),
                    Route::Unserved { .. } => None,
                };
                assert_eq!(listed, routed, "slot {slot} of {count} partitions");
            }
        }
    }
}
