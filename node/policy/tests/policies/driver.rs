//! A cache of bare keys over the crate's public interface: partitions, slabs of handles, and the eviction
//! loop as the owner of the shards runs it. Knows no policy by name and judges nothing but that the pool's
//! sums are right.

use std::collections::{BTreeMap, BTreeSet};

use predis_policy::{Eviction, Handle, Policy, PolicyKind, Pool};
use predis_types::mix64;

/// One partition: its policy and the keys at its handles.
struct Partition {
    policy: Box<dyn Policy>,
    keys: Vec<Option<u64>>,
}

impl Partition {
    /// The lowest free handle, now taken by `key`.
    fn allocate(&mut self, key: u64) -> Handle {
        let free = self.keys.iter().position(Option::is_none);
        let handle = free.unwrap_or(self.keys.len());
        if handle == self.keys.len() {
            self.keys.push(None);
        }
        self.keys[handle] = Some(key);
        handle as Handle
    }
}

/// The cache.
pub(crate) struct Cache {
    pub(crate) pool: Pool,
    partitions: Vec<Partition>,
    entries: BTreeMap<u64, (usize, Handle, u64)>,
}

impl Cache {
    pub(crate) fn new(kind: PolicyKind, partitions: usize, budget: u64) -> Self {
        let build = || Partition { policy: kind.build(), keys: Vec::new() };
        Cache {
            pool: Pool::new(kind, partitions, budget),
            partitions: std::iter::repeat_with(build).take(partitions).collect(),
            entries: BTreeMap::new(),
        }
    }

    pub(crate) fn holds(&self, key: u64) -> bool {
        self.entries.contains_key(&key)
    }

    pub(crate) fn keys(&self) -> BTreeSet<u64> {
        self.entries.keys().copied().collect()
    }

    /// Adds a key that is not held. Makes no room for it.
    pub(crate) fn insert(&mut self, key: u64, cost: u64, tick: u64) {
        let at = (mix64(!key) % self.partitions.len() as u64) as usize;
        let partition = &mut self.partitions[at];
        let handle = partition.allocate(key);
        partition.policy.insert(&self.pool, handle, mix64(key), cost, tick);
        self.entries.insert(key, (at, handle, cost));
        self.publish(at);
    }

    pub(crate) fn hit(&mut self, key: u64, tick: u64) {
        if let Some((at, handle, _)) = self.entries.get(&key).copied() {
            self.partitions[at].policy.hit(&self.pool, handle, tick);
            self.publish(at);
        }
    }

    pub(crate) fn resize(&mut self, key: u64, cost: u64) {
        if let Some((at, handle, held)) = self.entries.get_mut(&key) {
            *held = cost;
            self.partitions[*at].policy.resize(&self.pool, *handle, cost);
        }
        self.check();
    }

    pub(crate) fn remove(&mut self, key: u64) {
        if let Some((at, handle, _)) = self.entries.remove(&key) {
            self.partitions[at].policy.remove(&self.pool, handle);
            self.partitions[at].keys[handle as usize] = None;
            self.publish(at);
        }
    }

    /// Evicts one key; `None` when nothing is left.
    pub(crate) fn evict(&mut self, tick: u64) -> Option<u64> {
        loop {
            let (at, class) = self.pool.victim()?;
            let partition = &mut self.partitions[at];
            let judged = partition.policy.evict(&self.pool, class, tick);
            if let Eviction::Victim(handle) = judged {
                let key = partition.keys[handle as usize].take().expect("a victim is a held key");
                self.entries.remove(&key).expect("a victim is a held key");
                self.publish(at);
                return Some(key);
            }
            assert_eq!(judged, Eviction::Again, "tails are published after every change");
            self.publish(at);
        }
    }

    /// Evicts until `incoming` fits; the keys in order.
    pub(crate) fn make_room(&mut self, incoming: u64, tick: u64) -> Vec<u64> {
        let mut gone = Vec::new();
        while self.pool.over_with(incoming) {
            match self.evict(tick) {
                Some(key) => gone.push(key),
                None => break,
            }
        }
        gone
    }

    /// One request of a read-through cache: whether it hit, and what was evicted.
    pub(crate) fn request(&mut self, key: u64, cost: u64, tick: u64) -> (bool, Vec<u64>) {
        if self.holds(key) {
            self.hit(key, tick);
            return (true, Vec::new());
        }
        let gone = self.make_room(cost, tick);
        self.insert(key, cost, tick);
        (false, gone)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        for at in 0..self.partitions.len() {
            self.partitions[at].policy.clear(&self.pool);
            self.partitions[at].keys.clear();
            self.pool.publish(at, &*self.partitions[at].policy);
        }
        self.check();
    }

    fn publish(&self, at: usize) {
        self.pool.publish(at, &*self.partitions[at].policy);
        self.check();
    }

    /// The pool's sums are those of the entries held, at all times.
    fn check(&self) {
        // Adding up thousands of entries after each step would take the time of the whole test.
        if self.entries.len() <= 300 {
            assert_eq!(self.pool.used(), self.entries.values().map(|(_, _, cost)| cost).sum::<u64>());
        }
        assert_eq!(self.pool.items(), self.entries.len() as u64);
    }
}
