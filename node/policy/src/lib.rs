//! Eviction policies behind one trait; pure.
//!
//! A policy's *state* is per (tenant, partition): it lives beside the shard's entries and is touched under
//! the shard's lock. Its *decisions* are per (node, tenant): all the partitions of a tenant on a node share a
//! [`Pool`], which adds up what they use and compares the tails of their queues. So a budget is never cut
//! into pieces, and 256 partitions evict as one would.
//!
//! ```text
//!   shard 0: Policy --tail--+                         over()?   budget against the sum of all costs
//!   shard 1: Policy --tail--+--> Pool (atomics) --->  victim(): the class by total use, then the partition
//!   shard P: Policy --tail--+                                   whose tail has the smallest stamp
//! ```
//!
//! The owner of the shards drives it: after every change to a partition's policy [`Pool::publish`]; and to
//! make room, `while pool.over_with(incoming)`, take [`Pool::victim`], lock that partition,
//! [`Policy::evict`], publish. [`Eviction::Again`] and [`Eviction::Empty`] mean: look again. What costs more
//! than the whole budget never fits and is to be refused before.
//!
//! This crate does not know keys, values, storage, tenants, clocks or models.

mod fifo;
mod ghost;
mod kind;
mod line;
mod lru;
mod policy;
mod pool;
mod queue;
mod s3fifo;
mod window;

pub use fifo::Fifo;
pub use kind::{PolicyKind, UnknownPolicy};
pub use line::Line;
pub use lru::Lru;
pub use policy::{CLASSES, Eviction, Handle, MAX_HANDLE, Policy};
pub use pool::{Pool, Usage};
pub use queue::{Queue, Slots};
pub use s3fifo::S3fifo;
