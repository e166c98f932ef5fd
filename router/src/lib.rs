//! Where partitions live and where a request goes: ring preference, placement, `Topology` and routing.
//!
//! ```text
//! weights -> ring (preference) --\
//! current seats ------------------> placement (the leader proposes it, Raft commits it) -> Topology -> route
//! ```
//! Pure. Deliberately knows nothing of the network, of Raft or of time: a placement is a function of its
//! arguments, computed once by whoever proposes it and then carried as data.

mod placement;
mod ring;
mod route;
mod topology;

pub use placement::{Balance, Moves, PlacementNode, place};
pub use ring::{Ring, VIRTUAL_NODES};
pub use route::{CrossSlot, colocated_partition, route_keys};
pub use topology::{Endpoint, NodeInfo, Owner, Route, ShardRanges, SlotRange, Topology};
