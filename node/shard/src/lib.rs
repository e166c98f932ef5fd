//! Data types, commands to (reply, effects), index, expiry; pure.
//!
//! A [`Shard`] is one partition's data as a synchronous structure: no socket, clock, lock or task of its own. A
//! command runs as `(shard, context, args) -> (reply, effects)`, and effects are the only way in which data changes:
//!
//! ```text
//!   execute --> commands/* --look up--> Keyspace <--apply-- Effect <-- a replication stream
//!                   |                      ^
//!                   +-------- Effect ------+----> Effects (what a replica is sent)
//! ```
//! One hash-order iterator serves SCAN, snapshots, moves and backups. Does not know the cluster, the network,
//! replication or how partitions are placed; eviction policies come from `predis-policy`.

mod access;
mod commands;
mod context;
mod cost;
mod effect;
mod entry;
mod error;
mod execute;
mod expiry;
mod hashing;
mod index;
mod keyspace;
mod shard;
mod slab;
mod stats;
mod value;
mod walk;

#[cfg(test)]
mod tests;

pub use commands::glob::matches as glob_matches;
pub use commands::scan::ScanOptions;
pub use context::Context;
pub use cost::{Cost, ENTRY_OVERHEAD_BYTES, EXPIRY_OVERHEAD_BYTES};
pub use effect::{DeleteReason, Effect, Effects};
pub use hashing::{HashPosition, POSITION_BITS};
pub use keyspace::Discarded;
pub use shard::{Evicted, Page, PageEntry, Shard};
pub use stats::{Counters, Stats};
pub use value::Value;
pub use walk::ScanPage;
