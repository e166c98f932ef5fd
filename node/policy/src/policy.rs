//! The eviction seam: what a shard tells a policy, and what it asks of it.
//!
//! Does not know which policies there are ([`crate::PolicyKind`]) nor how partitions are compared
//! ([`crate::Pool`]).

use crate::pool::Pool;

/// An entry's index in its shard's slab. Handles are dense: side arrays are as long as the largest one in
/// use.
pub type Handle = u32;

/// The largest handle a policy accepts; the values above mark links. Larger ones are ignored.
pub const MAX_HANDLE: Handle = u32::MAX - 2;

/// How many queues of one policy have their tails compared across partitions. LRU and FIFO use class 0 alone,
/// S3-FIFO uses 0 for its small queue and 1 for its main queue.
pub const CLASSES: usize = 2;

/// What [`Policy::evict`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// This entry is the victim. The policy has already forgotten it and taken its cost off the pool; the
    /// owner deletes it from the shard and must not call [`Policy::remove`].
    Victim(Handle),
    /// The candidate was promoted or re-inserted instead: publish and choose again. Only finitely many of
    /// these follow each other without a hit between them.
    Again,
    /// The class has no entry here, so the published tail was stale: publish and choose again.
    Empty,
}

/// The eviction state of one partition of one tenant.
///
/// `tick` orders events across partitions (the node gives monotonic microseconds, a replay the request's
/// index). A tick that goes back a little, as concurrent threads may produce, costs a little order and
/// nothing else. `cost` is what an entry takes of the budget: bytes on a node, 1 in a replay that counts
/// objects. A handle that the policy does not hold is ignored by every call but `insert`.
pub trait Policy: Send {
    /// A key entered the shard at `handle`. `key_hash` identifies the key after it has left (the whole 64-bit
    /// hash of the key). A handle that is still held is removed first.
    fn insert(&mut self, pool: &Pool, handle: Handle, key_hash: u64, cost: u64, tick: u64);

    /// The key was read or overwritten.
    fn hit(&mut self, pool: &Pool, handle: Handle, tick: u64);

    /// The entry's cost is now `cost`.
    fn resize(&mut self, pool: &Pool, handle: Handle, cost: u64);

    /// The key was deleted or expired.
    fn remove(&mut self, pool: &Pool, handle: Handle);

    /// The stamp of the class's next candidate; `None` when the class is empty here or unknown.
    fn tail(&self, class: usize) -> Option<u64>;

    /// Judges the class's next candidate.
    fn evict(&mut self, pool: &Pool, class: usize, tick: u64) -> Eviction;

    /// Forgets every entry and what was remembered of earlier ones, takes their cost off the pool and gives
    /// the memory back. Call it too before dropping a policy whose pool lives on.
    fn clear(&mut self, pool: &Pool);
}
