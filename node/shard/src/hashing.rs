//! Where a key stands in hash order: the keyed hash and the positions an iteration may pause at.
//!
//! SipHash-1-3 (Aumasson, Bernstein, 2012) under a key that the whole cluster shares, so that a position means the
//! same on every replica and nobody outside can choose keys that collide. Knows no key that is stored.

use siphasher::sip::SipHasher13;

/// How many top bits of a hash make a position.
pub const POSITION_BITS: u32 = 48;

/// Hashes keys. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHasher(SipHasher13);

impl KeyHasher {
    /// A hasher under the cluster's two secret words.
    pub(crate) fn new(hash_key: [u64; 2]) -> Self {
        KeyHasher(SipHasher13::new_with_keys(hash_key[0], hash_key[1]))
    }

    /// The 64-bit hash of a key.
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        self.0.hash(key)
    }
}

/// A place in hash order: the top 48 bits of a hash. Entries that share them are never parted, so an iteration may
/// pause between any two positions and lose nothing. Below 2^48, so that a SCAN cursor has 16 bits left for the
/// partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashPosition(u64);

impl HashPosition {
    /// Before every entry.
    pub const START: HashPosition = HashPosition(0);

    /// The position with these bits, or `None` when they are more than 48.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits >> POSITION_BITS == 0).then_some(HashPosition(bits))
    }

    /// The bits, below 2^48.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Where an entry of this hash stands.
    pub(crate) fn of_hash(hash: u64) -> Self {
        HashPosition(hash >> (64 - POSITION_BITS))
    }

    /// The smallest hash at this position.
    pub(crate) fn first_hash(self) -> u64 {
        self.0 << (64 - POSITION_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_siphash_1_3_of_the_bytes() {
        // The hash must never change: stored cursors and replicas rely on it.
        assert_eq!(KeyHasher::new([0, 0]).hash(b""), 0xd1fb_a762_150c_532c);
        assert_eq!(KeyHasher::new([1, 2]).hash(b"key"), 0x36cc_0713_466c_4cb5);
        assert_eq!(KeyHasher::new([1, 2]).hash(b"0123456789"), 0xb12d_5bb3_dcac_0bb5);
    }

    #[test]
    fn positions_keep_hash_order() {
        assert_eq!(HashPosition::of_hash(u64::MAX).bits(), (1 << 48) - 1);
        assert_eq!(HashPosition::of_hash(0xffff), HashPosition::START);
        assert_eq!(HashPosition::of_hash(0x1_0000).first_hash(), 0x1_0000);
        assert_eq!(HashPosition::from_bits(1 << 48), None);
    }
}
