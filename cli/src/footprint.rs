//! How much a workload asks for altogether: what it would cost to keep every object that it names.
//!
//! Remembers 16 bytes a key. Does not know percentages.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use predis_shard::Cost;

use crate::trace::Request;

/// What was asked for until now. Keys are told apart by 64-bit hashes, so of `n` keys about `n * n / 2^65` go
/// missing.
#[derive(Debug)]
pub(crate) struct Footprint {
    cost: Cost,
    costs: HashMap<u64, u64>,
    total: u64,
}

impl Footprint {
    /// Nothing yet; entries will be counted by this cost.
    pub(crate) fn new(cost: Cost) -> Self {
        Footprint { cost, costs: HashMap::new(), total: 0 }
    }

    /// Counts a request. An object whose size changes counts with its last.
    pub(crate) fn count(&mut self, request: &Request) {
        let mut hasher = DefaultHasher::new();
        hasher.write(&request.key);
        let size_bytes = usize::try_from(request.size_bytes).unwrap_or(usize::MAX);
        let cost = self.cost.of(request.key.len(), size_bytes, false);
        let known = self.costs.entry(hasher.finish()).or_default();
        // The total is no less than any one cost in it, unless it is cut off at the largest number there is.
        self.total = self.total.saturating_sub(*known).saturating_add(cost);
        *known = cost;
    }

    /// The summed cost of all.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn unique_keys_are_counted_with_their_last_size() {
        let total = |cost: Cost, sizes: &[(&'static str, u64)]| {
            let mut footprint = Footprint::new(cost);
            for (key, size_bytes) in sizes {
                let key = Bytes::from_static(key.as_bytes());
                footprint.count(&Request { time_ms: 0, key, size_bytes: *size_bytes });
            }
            footprint.total()
        };
        let asked = [("a", 10), ("b", 20), ("a", 10), ("b", 5)];
        assert_eq!((total(Cost::Object, &asked), total(Cost::Value, &asked)), (2, 15));
        let memory = Cost::Memory.of(1, 10, false) + Cost::Memory.of(1, 5, false);
        assert_eq!(total(Cost::Memory, &asked), memory);
        assert_eq!(total(Cost::Value, &[("a", 1), ("c", u64::MAX)]), u64::MAX);
    }
}
