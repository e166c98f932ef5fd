//! Replication between nodes: what the shards have to tell, carried to the members that hold copies, and back.
//!
//! ```text
//! Shards::watch_replicas -> one sender each: Queue::next -> Shards::parts -> Replica.Replicate -> acknowledged | unheard
//! Shards::changes -> Raft -> the next applied state, or not_changed
//! grpc/replica.rs -> receive -> Shards::receive
//! ```
//! One call at a time to each replica, so what comes while one is under way goes together in the next. Does not know
//! what a change says, nor when one is committed: `predis_replica` does.

mod receiver;
mod sender;
mod sets;
mod wire;

pub use receiver::{receive, survey};
pub use sender::send;
pub use sets::keep_in_sync;

/// How many bytes of entries and pages go into one message, about.
const ROOM_BYTES: usize = 256 << 10;

/// The same for a message to another region.
const FAR_ROOM_BYTES: usize = 4 << 20;
