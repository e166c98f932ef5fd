//! What an entry costs against a budget. Knows no policy and no budget.

use crate::entry::Entry;
use crate::slab::slot_size_bytes;

/// A handle and its control byte in a table that is three fifths full on average.
const INDEX_BYTES: usize = 9;
/// The eviction policy's links, stamp, cost, hash and use count (S3-FIFO's, the largest; its ghost list not counted).
const POLICY_BYTES: usize = 34;
/// What the allocator loses on each of the two allocations of a short key and a short value.
const ALLOCATION_BYTES: usize = 2 * 12;
/// The reference count a value gets when it is first shared with a reply or an effect.
const SHARED_BYTES: usize = 32;

/// What an entry takes in memory beyond the bytes of its key and of its value.
pub const ENTRY_OVERHEAD_BYTES: u64 =
    (slot_size_bytes::<Entry>() + INDEX_BYTES + POLICY_BYTES + ALLOCATION_BYTES + SHARED_BYTES) as u64;

/// What an entry that expires takes more: its place in the order of expiry, a B-tree about half full when keys come
/// with rising times.
pub const EXPIRY_OVERHEAD_BYTES: u64 = 32;

/// How the cost of an entry is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// The memory it takes, in bytes: key, value and overhead. What a node uses.
    #[default]
    Memory,
    /// The length of its value in bytes: a replay of a trace that declares object sizes.
    Value,
    /// One: a replay that counts objects.
    Object,
}

impl Cost {
    /// The cost of an entry with these sizes in bytes.
    pub fn of(self, key_bytes: usize, value_bytes: usize, expires: bool) -> u64 {
        match self {
            Cost::Memory => {
                let expiry = if expires { EXPIRY_OVERHEAD_BYTES } else { 0 };
                key_bytes as u64 + value_bytes as u64 + ENTRY_OVERHEAD_BYTES + expiry
            }
            Cost::Value => value_bytes as u64,
            Cost::Object => 1,
        }
    }

    /// The cost of a stored entry.
    pub(crate) fn of_entry(self, entry: &Entry) -> u64 {
        let value_bytes = match self {
            Cost::Memory => entry.value_memory_bytes(),
            Cost::Value | Cost::Object => entry.value.size_bytes(),
        };
        self.of(entry.key.len(), value_bytes, entry.expire_at_ms().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_counts_its_own() {
        assert_eq!(Cost::Memory.of(3, 10, false), 13 + ENTRY_OVERHEAD_BYTES);
        assert_eq!(Cost::Memory.of(3, 10, true) - Cost::Memory.of(3, 10, false), EXPIRY_OVERHEAD_BYTES);
        assert_eq!(Cost::Value.of(3, 10, true), 10);
        assert_eq!(Cost::Object.of(3, 10, true), 1);
    }

    #[test]
    fn an_entry_is_as_small_as_the_overhead_assumes() {
        assert_eq!(slot_size_bytes::<Entry>(), 72);
    }
}
