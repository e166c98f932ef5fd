//! The ghost list of S3-FIFO: fingerprints of keys that left the small queue a short while ago.
//!
//! A ring in order of leaving and a hash index over it: 16 bytes a remembered key plus about 8 for the index.
//! How long a key is remembered is judged by the pool's window, common to all partitions, so that many lists
//! forget in the order one would. A fingerprint has 32 bits, as in the paper: of `n` keys asked for, about `n
//! * len / 2^32` are wrongly taken for remembered. Does not know entries that are in the cache.

use std::collections::VecDeque;

use hashbrown::HashTable;
use predis_types::mix64;

use crate::pool::Pool;

/// A key that left: its fingerprint, its cost, and its number in the pool's window.
#[derive(Clone, Copy, Debug)]
struct Departed {
    fingerprint: u32,
    cost: u32,
    number: u64,
}

/// The ghost list of one partition.
#[derive(Debug, Default)]
pub(crate) struct Ghost {
    ring: VecDeque<Departed>,
    /// The position of the ring's first entry; positions count up as entries come, wrapping.
    first: u32,
    /// Positions of ring entries. One that came back stays in the ring, not indexed, until it is dropped.
    index: HashTable<u32>,
}

/// The part of a key's hash that is remembered.
fn fingerprint(key_hash: u64) -> u32 {
    (mix64(key_hash) >> 32) as u32
}

/// The index's hash of a fingerprint.
fn index_hash(fingerprint: u32) -> u64 {
    mix64(u64::from(fingerprint))
}

impl Ghost {
    /// Remembers a key that left with `cost` (counted as at least 1, so that the list stays bounded); all
    /// lists together remember keys of at most `capacity`.
    pub(crate) fn remember(&mut self, pool: &Pool, key_hash: u64, cost: u64, capacity: u64) {
        let cost = u32::try_from(cost.max(1)).unwrap_or(u32::MAX);
        let number = pool.enter_ghost(u64::from(cost), capacity);
        self.drop_forgotten(pool);
        let fingerprint = fingerprint(key_hash);
        let position = self.first.wrapping_add(self.ring.len() as u32);
        self.ring.push_back(Departed { fingerprint, cost, number });
        let (ring, first) = (&self.ring, self.first);
        self.index.insert_unique(index_hash(fingerprint), position, |other| {
            index_hash(ring[other.wrapping_sub(first) as usize].fingerprint)
        });
    }

    /// Takes a key back out; `true` if it was still remembered.
    pub(crate) fn take(&mut self, pool: &Pool, key_hash: u64) -> bool {
        self.drop_forgotten(pool);
        let fingerprint = fingerprint(key_hash);
        let (ring, first) = (&self.ring, self.first);
        let same = |position: &u32| ring[position.wrapping_sub(first) as usize].fingerprint == fingerprint;
        let Ok(found) = self.index.find_entry(index_hash(fingerprint), same) else { return false };
        let (position, _) = found.remove();
        let departed = self.ring[position.wrapping_sub(self.first) as usize];
        pool.take_ghost(departed.number, u64::from(departed.cost))
    }

    /// Drops from the front what the window has forgotten. Amortised O(1), as each entry is dropped once.
    fn drop_forgotten(&mut self, pool: &Pool) {
        let floor = pool.ghost_floor();
        while let Some(front) = self.ring.front().filter(|front| front.number < floor) {
            let first = self.first;
            if let Ok(found) = self.index.find_entry(index_hash(front.fingerprint), |at| *at == first) {
                found.remove();
            }
            self.ring.pop_front();
            self.first = first.wrapping_add(1);
        }
    }
}
