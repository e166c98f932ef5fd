//! How much a trace asks for altogether: its unique keys, and the sum of their sizes.
//!
//! Remembers 16 bytes a key. Does not know percentages.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use super::args::SizeUnit;
use super::trace::Request;

/// What was asked for until now. Keys are told apart by 64-bit hashes, so of `n` keys about `n * n / 2^65` go
/// missing.
#[derive(Debug, Default)]
pub(crate) struct Footprint {
    sizes_bytes: HashMap<u64, u64>,
    total_bytes: u64,
}

impl Footprint {
    /// Counts a request. An object whose size changes counts with its last.
    pub(crate) fn count(&mut self, request: &Request) {
        let mut hasher = DefaultHasher::new();
        hasher.write(&request.key);
        let size_bytes = self.sizes_bytes.entry(hasher.finish()).or_default();
        // The total is no less than any one size in it, unless it is cut off at the largest number there is.
        self.total_bytes = self.total_bytes.saturating_sub(*size_bytes).saturating_add(request.size_bytes);
        *size_bytes = request.size_bytes;
    }

    /// The footprint in a unit.
    pub(crate) fn total(&self, unit: SizeUnit) -> u64 {
        match unit {
            SizeUnit::Objects => self.sizes_bytes.len() as u64,
            SizeUnit::Bytes => self.total_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn unique_keys_are_counted_with_their_last_size() {
        let mut footprint = Footprint::default();
        for (key, size_bytes) in [("a", 10), ("b", 20), ("a", 10), ("b", 5)] {
            footprint.count(&Request { time_ms: 0, key: Bytes::from_static(key.as_bytes()), size_bytes });
        }
        assert_eq!((footprint.total(SizeUnit::Objects), footprint.total(SizeUnit::Bytes)), (2, 15));
        footprint.count(&Request { time_ms: 0, key: Bytes::from_static(b"c"), size_bytes: u64::MAX });
        assert_eq!(footprint.total(SizeUnit::Bytes), u64::MAX);
    }
}
