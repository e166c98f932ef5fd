//! One tenant's keys in one partition: index, entries, order of expiry, eviction state, counters.
//!
//! ```text
//!   key --hash--> Index --handle--> Slab<Entry>          data changes only in `apply`
//!                                    |     |
//!                            ExpiryOrder  Policy --> Pool (shared by the tenant's partitions)
//! ```
//! Whatever changes an entry's cost is told to the policy here, so the pool always holds the sum of all costs.
//! Does not know commands or replies, and judges no expiry by itself.

use bytes::Bytes;
use predis_policy::{Eviction, Policy, PolicyKind};
use predis_types::limits::MAX_BULK_BYTES;

use crate::context::Context;
use crate::cost::Cost;
use crate::effect::{DeleteReason, Effect};
use crate::entry::Entry;
use crate::expiry::ExpiryOrder;
use crate::hashing::{HashPosition, KeyHasher};
use crate::index::{Index, IndexPage};
use crate::slab::Slab;
use crate::stats::{Counters, Stats};
use crate::value::{Value, overwrite};

/// A handle that the index gave out always has an entry.
const INDEXED: &str = "a handle from the index has an entry";

/// The keys of one tenant in one partition.
pub(crate) struct Keyspace {
    hasher: KeyHasher,
    cost: Cost,
    index: Index,
    entries: Slab<Entry>,
    expiry: ExpiryOrder,
    policy: Box<dyn Policy>,
    used: u64,
    pub(crate) counters: Counters,
}

/// The entries a flush removed. Dropping it gives their memory back, which takes a while when they are many: it may
/// be done after the shard's lock is released.
#[must_use = "dropping it frees the entries; do so where that may take time"]
pub struct Discarded {
    keys: usize,
    _index: Index,
    _entries: Slab<Entry>,
    _expiry: ExpiryOrder,
}

impl Discarded {
    /// How many keys were removed.
    pub fn keys(&self) -> usize {
        self.keys
    }
}

/// The hash of a stored handle, as the index asks for it.
fn hash_in(entries: &Slab<Entry>) -> impl Fn(u32) -> u64 + '_ {
    |handle| entries.get(handle).expect(INDEXED).hash
}

impl Keyspace {
    /// An empty keyspace.
    pub(crate) fn new(hasher: KeyHasher, cost: Cost, kind: PolicyKind) -> Self {
        Keyspace {
            hasher,
            cost,
            index: Index::default(),
            entries: Slab::default(),
            expiry: ExpiryOrder::default(),
            policy: kind.build(),
            used: 0,
            counters: Counters::default(),
        }
    }

    /// The number of keys, expired ones that nobody has met yet included.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// The entry of a handle that [`Keyspace::find`] or a page gave.
    pub(crate) fn entry(&self, handle: u32) -> &Entry {
        self.entries.get(handle).expect(INDEXED)
    }

    /// The key's handle, expired or not.
    pub(crate) fn find(&self, key: &[u8]) -> Option<u32> {
        self.find_hashed(self.hasher.hash(key), key)
    }

    fn find_hashed(&self, hash: u64, key: &[u8]) -> Option<u32> {
        let same =
            |handle| self.entries.get(handle).is_some_and(|entry| entry.hash == hash && *entry.key == *key);
        self.index.find(hash, same)
    }

    /// Notes a use of an entry.
    pub(crate) fn touch(&mut self, cx: &Context<'_>, handle: u32) {
        self.policy.hit(cx.pool, handle, cx.tick);
        if let Some(entry) = self.entries.get_mut(handle) {
            entry.mark_used(cx.now_ms);
        }
    }

    /// Carries out one effect. Equal keyspaces stay equal.
    pub(crate) fn apply(&mut self, cx: &Context<'_>, effect: &Effect) {
        match effect {
            Effect::Set { key, value, expire_at_ms } => self.set(cx, key, value, *expire_at_ms),
            Effect::Write { key, offset, bytes } => self.write(cx, key, *offset, bytes),
            Effect::Expire { key, at } => {
                if let Some(handle) = self.find(key) {
                    self.change(cx, handle, |entry| entry.set_expire_at_ms(*at));
                }
            }
            Effect::Delete { key, reason } => self.delete(cx, key, *reason),
            Effect::Flush => drop(self.clear(cx)),
        }
    }

    fn set(&mut self, cx: &Context<'_>, key: &[u8], value: &Value, expire_at_ms: Option<u64>) {
        let hash = self.hasher.hash(key);
        let Some(handle) = self.find_hashed(hash, key) else {
            self.insert(cx, Entry::new(hash, key, value.clone(), expire_at_ms, cx.now_ms));
            return;
        };
        self.touch(cx, handle);
        self.change(cx, handle, |entry| {
            entry.set_value(value.clone());
            entry.set_expire_at_ms(expire_at_ms);
        });
    }

    /// Writes into a string. What no command produces, a string beyond the longest bulk, is left undone.
    fn write(&mut self, cx: &Context<'_>, key: &[u8], offset: u64, bytes: &Bytes) {
        let Ok(offset) = usize::try_from(offset) else { return };
        if offset.saturating_add(bytes.len()) > MAX_BULK_BYTES {
            return;
        }
        let hash = self.hasher.hash(key);
        let Some(handle) = self.find_hashed(hash, key) else {
            let written = overwrite(Bytes::new(), offset, bytes);
            let mut entry = Entry::new(hash, key, Value::String(Bytes::new()), None, cx.now_ms);
            entry.set_overwritten(written.bytes, written.capacity_bytes);
            self.insert(cx, entry);
            return;
        };
        self.touch(cx, handle);
        self.change(cx, handle, |entry| {
            let Value::String(old) = std::mem::replace(&mut entry.value, Value::String(Bytes::new()));
            let written = overwrite(old, offset, bytes);
            entry.set_overwritten(written.bytes, written.capacity_bytes);
        });
    }

    fn insert(&mut self, cx: &Context<'_>, entry: Entry) {
        let (hash, cost, expire_at_ms) = (entry.hash, self.cost.of_entry(&entry), entry.expire_at_ms());
        let handle = self.entries.insert(entry);
        self.index.insert(hash, handle, hash_in(&self.entries));
        self.expiry.change(handle, None, expire_at_ms);
        self.used += cost;
        self.policy.insert(cx.pool, handle, hash, cost, cx.tick);
    }

    /// Changes an entry and tells everyone who keeps something that depends on it.
    fn change(&mut self, cx: &Context<'_>, handle: u32, edit: impl FnOnce(&mut Entry)) {
        let entry = self.entries.get_mut(handle).expect(INDEXED);
        let (old_cost, old_expiry) = (self.cost.of_entry(entry), entry.expire_at_ms());
        edit(entry);
        let (new_cost, new_expiry) = (self.cost.of_entry(entry), entry.expire_at_ms());
        self.expiry.change(handle, old_expiry, new_expiry);
        if new_cost != old_cost {
            self.used = self.used - old_cost + new_cost;
            self.policy.resize(cx.pool, handle, new_cost);
        }
    }

    fn delete(&mut self, cx: &Context<'_>, key: &[u8], reason: DeleteReason) {
        let Some(handle) = self.find(key) else { return };
        self.policy.remove(cx.pool, handle);
        self.forget(handle);
        self.counters.count_delete(reason);
    }

    /// Takes an entry out of everything but the policy.
    fn forget(&mut self, handle: u32) -> Entry {
        let hash = self.entry(handle).hash;
        self.index.remove(hash, handle, hash_in(&self.entries));
        let entry = self.entries.remove(handle).expect(INDEXED);
        self.expiry.change(handle, entry.expire_at_ms(), None);
        self.used -= self.cost.of_entry(&entry);
        entry
    }

    /// Lets the policy judge its next candidate of a class; a victim is removed and returned.
    pub(crate) fn evict(&mut self, cx: &Context<'_>, class: usize) -> (Eviction, Option<Entry>) {
        let eviction = self.policy.evict(cx.pool, class, cx.tick);
        let Eviction::Victim(handle) = eviction else { return (eviction, None) };
        self.counters.count_delete(DeleteReason::Evicted);
        (eviction, Some(self.forget(handle)))
    }

    /// Removes every key.
    pub(crate) fn clear(&mut self, cx: &Context<'_>) -> Discarded {
        self.policy.clear(cx.pool);
        self.used = 0;
        Discarded {
            keys: self.len(),
            _index: std::mem::take(&mut self.index),
            _entries: std::mem::take(&mut self.entries),
            _expiry: std::mem::take(&mut self.expiry),
        }
    }

    /// Takes leave of the old policy and its pool and tells the new one about every entry, in hash order. Stamps
    /// rise with the hash up to the given tick, so that the partitions of a tenant that all do this are still
    /// evicted from evenly.
    pub(crate) fn rebuild_policy(&mut self, cx: &Context<'_>, old_pool: &predis_policy::Pool) {
        self.policy.clear(old_pool);
        self.policy = cx.pool.kind().build();
        for handle in self.page(HashPosition::START, usize::MAX).handles {
            let entry = self.entries.get(handle).expect(INDEXED);
            let stamp = ((u128::from(entry.hash) * u128::from(cx.tick)) >> 64) as u64;
            self.policy.insert(cx.pool, handle, entry.hash, self.cost.of_entry(entry), stamp);
        }
    }

    /// Tells the pool about the policy's tails; after every change.
    pub(crate) fn publish(&self, cx: &Context<'_>, partition: usize) {
        cx.pool.publish(partition, &*self.policy);
    }

    /// Handles in hash order; see [`Index::page`].
    pub(crate) fn page(&self, from: HashPosition, limit: usize) -> IndexPage {
        self.index.page(from, limit, hash_in(&self.entries))
    }

    /// Every handle, in no particular order.
    pub(crate) fn handles(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.handles()
    }

    /// A handle chosen by chance, uniformly as long as the slab is not nearly empty; `None` without entries.
    pub(crate) fn random(&self, word: u64) -> Option<u32> {
        let slots = u64::from(self.entries.slots());
        let mut draw = word;
        for _ in 0..64 {
            draw = predis_types::mix64(draw);
            let handle = ((u128::from(draw) * u128::from(slots)) >> 64) as u32;
            if self.entries.get(handle).is_some() {
                return Some(handle);
            }
        }
        let beyond = self.page(HashPosition::of_hash(draw), 1).handles;
        beyond.first().or(self.page(HashPosition::START, 1).handles.first()).copied()
    }

    /// The handle that expires first, and when.
    pub(crate) fn first_expiry(&self) -> Option<(u64, u32)> {
        self.expiry.first()
    }

    /// Counts and sums.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            keys: self.len() as u64,
            expiring: self.expiry.len() as u64,
            mean_expire_at_ms: self.expiry.mean_at_ms(),
            cost: self.used,
            counters: self.counters,
        }
    }
}
