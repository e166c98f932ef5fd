//! Redis hash slots and the partitions they are cut into.
//!
//! ```text
//! key --hash tag--> CRC16/XMODEM mod 16384 = slot --/ (16384 / P)--> partition
//! ```
//! Knows nothing of which node holds a partition.

use crc::{CRC_16_XMODEM, Crc, Table};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range};

/// How many hash slots a Redis Cluster has.
pub const SLOTS: u16 = 16384;

// The sixteen-lane table costs 8 KiB and hashes short keys several times faster than one byte a step.
const CRC: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_XMODEM);

/// A Redis hash slot, always below [`SLOTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(u16);

impl Slot {
    /// The slot with this number, or `None` when there is no such slot.
    pub fn new(number: u16) -> Option<Slot> {
        (number < SLOTS).then_some(Slot(number))
    }

    /// The slot's number, below [`SLOTS`].
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The slot of a key as Redis Cluster computes it: only the first non-empty `{...}` counts, if there is one.
pub fn key_slot(key: &[u8]) -> Slot {
    Slot(CRC.checksum(hash_tag(key)) % SLOTS)
}

fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&b| b == b'{') else { return key };
    let inner = &key[open + 1..];
    match inner.iter().position(|&b| b == b'}') {
        Some(close) if close > 0 => &inner[..close],
        _ => key,
    }
}

/// One of the equal, contiguous ranges of slots that are placed, replicated and moved as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartitionId(pub u16);

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many partitions a cluster has: a power of two from 1 to [`SLOTS`], fixed when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct PartitionCount(u16);

impl PartitionCount {
    /// The count, or `None` unless it is a power of two from 1 to 16384.
    pub fn new(count: u16) -> Option<PartitionCount> {
        (count.is_power_of_two() && count <= SLOTS).then_some(PartitionCount(count))
    }

    /// The number itself.
    pub fn get(self) -> u16 {
        self.0
    }

    /// The partition that a slot lies in.
    pub fn partition_of(self, slot: Slot) -> PartitionId {
        PartitionId(slot.0 / (SLOTS / self.0))
    }

    /// The slots of a partition, as numbers.
    pub fn slots_of(self, partition: PartitionId) -> Range<u16> {
        let width = SLOTS / self.0;
        partition.0 * width..(partition.0 + 1) * width
    }

    /// Every partition, ascending.
    pub fn iter(self) -> impl ExactSizeIterator<Item = PartitionId> + Clone {
        (0..self.0).map(PartitionId)
    }
}

impl Default for PartitionCount {
    /// 256.
    fn default() -> Self {
        PartitionCount(256)
    }
}

impl TryFrom<u16> for PartitionCount {
    type Error = String;

    fn try_from(count: u16) -> Result<Self, Self::Error> {
        PartitionCount::new(count)
            .ok_or_else(|| format!("partitions must be a power of two from 1 to {SLOTS}, got {count}"))
    }
}

impl From<PartitionCount> for u16 {
    fn from(count: PartitionCount) -> u16 {
        count.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_agree_with_the_cluster_specification() {
        // Values from the Redis Cluster specification and from CLUSTER KEYSLOT of a Redis server.
        for (key, slot) in [
            (&b"123456789"[..], 0x31C3 % SLOTS),
            (b"foo", 12182),
            (b"bar", 5061),
            (b"", 0),
            (b"{user1000}.following", key_slot(b"user1000").number()),
            (b"foo{}{bar}", key_slot(b"foo{}{bar}").number()),
            (b"foo{{bar}}zap", key_slot(b"{bar").number()),
            (b"foo{bar}{zap}", key_slot(b"bar").number()),
        ] {
            assert_eq!(key_slot(key).number(), slot, "{}", String::from_utf8_lossy(key));
        }
        assert_ne!(key_slot(b"foo{}{bar}"), key_slot(b"bar"), "an empty tag is no tag");
    }

    #[test]
    fn partitions_tile_the_slots() {
        for bits in 0..=14 {
            let count = PartitionCount::new(1 << bits).unwrap();
            let mut next = 0;
            for partition in count.iter() {
                let slots = count.slots_of(partition);
                assert_eq!(slots.start, next);
                next = slots.end;
                assert_eq!(count.partition_of(Slot(slots.start)), partition);
                assert_eq!(count.partition_of(Slot(slots.end - 1)), partition);
            }
            assert_eq!(next, SLOTS);
        }
        assert!(PartitionCount::new(0).is_none() && PartitionCount::new(3).is_none());
        assert!(PartitionCount::new(32768).is_none());
    }
}
