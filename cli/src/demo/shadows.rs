//! What each plain policy would have scored on the same requests: one cache each, with the budget of all nodes.
//!
//! The caches are those of `predis replay`, the shard and policy code of a node in one partition. Does not know the
//! cluster.

use crate::{cache::Cache, trace::Request};
use predis_policy::PolicyKind;
use predis_shard::Cost;
use predis_types::PartitionCount;

/// One cache a policy.
pub(super) struct Shadows(Vec<Cache>);

impl Shadows {
    /// Empty caches with room for so many bytes each, as a node counts them.
    pub(super) fn new(memory_bytes: u64) -> Shadows {
        let one = PartitionCount::new(1).expect("one is a power of two");
        Shadows(PolicyKind::ALL.map(|kind| Cache::new(kind, Cost::Memory, memory_bytes, one)).into())
    }

    /// One request to each.
    pub(super) fn request(&mut self, request: &Request) {
        self.0.iter_mut().for_each(|cache| cache.request(request));
    }

    /// How many requests each found, in the order of [`PolicyKind::ALL`].
    pub(super) fn hits(&self) -> [u64; PolicyKind::ALL.len()] {
        let mut hits = [0; PolicyKind::ALL.len()];
        hits.iter_mut().zip(&self.0).for_each(|(hits, cache)| *hits = cache.tally().hits);
        hits
    }
}
