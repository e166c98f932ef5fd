//! A cache under one policy, made of the shards and the pool that a node has, and what it did with the
//! requests.
//!
//! ```text
//!   request --> GET --hit--> done
//!                |miss
//!                v
//!      while pool.over_with(cost): pool.victim() --> shard.evict
//!                v
//!               SET
//! ```
//! Does not know traces, files or time.

use bytes::Bytes;
use predis_policy::{PolicyKind, Pool};
use predis_resp::{CommandSpec, Reply, find};
use predis_shard::{Context, Cost, Effects, Evicted, Shard};
use predis_types::limits::MAX_BULK_BYTES;
use predis_types::{PartitionCount, TenantId, key_slot};

use crate::trace::Request;

/// What became of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All of them.
    pub(crate) requests: u64,
    /// Those that found their key.
    pub(crate) hits: u64,
    /// The summed sizes of all.
    pub(crate) bytes: u128,
    /// The summed sizes of those that found their key.
    pub(crate) hit_bytes: u128,
    /// Objects that had to go.
    pub(crate) evictions: u64,
    /// Misses whose object was not stored, being larger than the whole cache or than a value can be.
    pub(crate) refused: u64,
}

impl Tally {
    /// The share of requests that found their key; 0 without requests.
    pub(crate) fn hit_ratio(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.hits as f64 / self.requests as f64 }
    }

    /// The same weighed by size; 0 when nothing has a size.
    pub(crate) fn byte_hit_ratio(&self) -> f64 {
        if self.bytes == 0 { 0.0 } else { self.hit_bytes as f64 / self.bytes as f64 }
    }
}

/// Values of any length from one run of zero bytes that the system need not even provide, for nobody reads
/// them.
#[derive(Debug, Default)]
struct Zeros(Bytes);

impl Zeros {
    fn of_length(&mut self, length_bytes: usize) -> Bytes {
        if length_bytes > self.0.len() {
            self.0 = Bytes::from(vec![0; length_bytes.next_power_of_two()]);
        }
        self.0.slice(..length_bytes)
    }
}

/// The cache.
pub(crate) struct Cache {
    pool: Pool,
    partitions: PartitionCount,
    shards: Vec<Shard>,
    cost: Cost,
    get: &'static CommandSpec,
    set: &'static CommandSpec,
    zeros: Zeros,
    effects: Effects,
    tally: Tally,
}

impl Cache {
    /// An empty cache with room for entries that cost `size` together.
    pub(crate) fn new(kind: PolicyKind, cost: Cost, size: u64, partitions: PartitionCount) -> Self {
        let command = |name: &[u8]| find(name).expect("the command table has GET and SET");
        // The key of the hash is a constant, so that every run is the same.
        let shard = |partition| Shard::new(partition, [0, 0]).with_cost(cost).with_shared_values();
        Cache {
            pool: Pool::new(kind, usize::from(partitions.get()), size),
            partitions,
            shards: partitions.iter().map(shard).collect(),
            cost,
            get: command(b"get"),
            set: command(b"set"),
            zeros: Zeros::default(),
            effects: Effects::new(),
            tally: Tally::default(),
        }
    }

    /// The policy it evicts by.
    pub(crate) fn policy(&self) -> PolicyKind {
        self.pool.kind()
    }

    /// What became of the requests until now.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// One request: reads the key and, when it is not there, stores it. The policy's tick is its number.
    pub(crate) fn request(&mut self, request: &Request) {
        let tick = self.tally.requests;
        self.tally.requests += 1;
        self.tally.bytes += u128::from(request.size_bytes);
        self.effects.clear();
        let home = usize::from(self.partitions.partition_of(key_slot(&request.key)).0);
        let args = [Bytes::from_static(b"GET"), request.key.clone()];
        let cx = context(&self.pool, request.time_ms, tick);
        if let Reply::Bulk(_) = self.shards[home].execute(&cx, self.get, &args, &mut self.effects) {
            self.tally.hits += 1;
            self.tally.hit_bytes += u128::from(request.size_bytes);
            return;
        }
        let [_, key] = args;
        self.store(home, key, request, tick);
    }

    /// Makes room for an object and stores it; one that never fits leaves the cache as it is.
    fn store(&mut self, home: usize, key: Bytes, request: &Request, tick: u64) {
        let length_bytes = usize::try_from(request.size_bytes).unwrap_or(usize::MAX);
        let cost = self.cost.of(key.len(), length_bytes, false);
        if length_bytes > MAX_BULK_BYTES || cost > self.pool.budget() {
            self.tally.refused += 1;
            return;
        }
        let cx = context(&self.pool, request.time_ms, tick);
        while self.pool.over_with(cost)
            && let Some((partition, class)) = self.pool.victim()
        {
            if let Evicted::Key { .. } = self.shards[partition].evict(&cx, class, &mut self.effects) {
                self.tally.evictions += 1;
            }
        }
        let args = [Bytes::from_static(b"SET"), key, self.zeros.of_length(length_bytes)];
        let reply = self.shards[home].execute(&cx, self.set, &args, &mut self.effects);
        debug_assert_eq!(reply, Reply::ok(), "a SET of a key and a value of allowed lengths succeeds");
    }
}

/// The circumstances of a call. Chance plays no part in GET and SET.
fn context(pool: &Pool, now_ms: u64, tick: u64) -> Context<'_> {
    Context { tenant: TenantId(0), now_ms, tick, rng: 0, pool }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    fn request(key: &str, size_bytes: u64) -> Request {
        Request { time_ms: 0, key: Bytes::copy_from_slice(key.as_bytes()), size_bytes }
    }

    fn replay(kind: PolicyKind, cost: Cost, size: u64, partitions: u16, requests: &[Request]) -> Tally {
        let partitions = PartitionCount::new(partitions).expect("a power of two");
        let mut cache = Cache::new(kind, cost, size, partitions);
        requests.iter().for_each(|request| cache.request(request));
        cache.tally()
    }

    /// `a b c a d a b c` with sizes 10, 20, 30, 40.
    fn golden() -> Vec<Request> {
        let size = |key| 10 * (u64::from(key) - u64::from('a') + 1);
        "abcadabc".chars().map(|key| request(&key.to_string(), size(key))).collect()
    }

    #[test]
    fn lru_and_fifo_by_objects_are_as_computed_by_hand() {
        let all = Tally { requests: 8, bytes: 170, ..Tally::default() };
        for partitions in [1, 16] {
            // The cache from old to new: abc, hit a: bca, cad, hit a: cda, dab, abc.
            let lru = replay(PolicyKind::Lru, Cost::Object, 3, partitions, &golden());
            assert_eq!(lru, Tally { hits: 2, hit_bytes: 20, evictions: 3, ..all });
            // abc, hit a, bcd, cda, dab, abc.
            let fifo = replay(PolicyKind::Fifo, Cost::Object, 3, partitions, &golden());
            assert_eq!(fifo, Tally { hits: 1, hit_bytes: 10, evictions: 4, ..all });
        }
    }

    #[test]
    fn lru_and_fifo_by_bytes_are_as_computed_by_hand() {
        let all = Tally { requests: 8, bytes: 170, ..Tally::default() };
        // abc, hit a: bca; d pushes b and c out: ad, hit a: da; b pushes d out: ab, abc.
        let lru = replay(PolicyKind::Lru, Cost::Value, 60, 1, &golden());
        assert_eq!(lru, Tally { hits: 2, hit_bytes: 20, evictions: 3, ..all });
        // abc, hit a; d pushes a, b and c out: d, da; b pushes d out: ab, abc.
        let fifo = replay(PolicyKind::Fifo, Cost::Value, 60, 1, &golden());
        assert_eq!(fifo, Tally { hits: 1, hit_bytes: 10, evictions: 4, ..all });
    }

    #[test]
    fn what_never_fits_is_refused_and_pushes_nothing_out() {
        for kind in PolicyKind::ALL {
            let requests = [request("a", 60), request("b", 61), request("c", u64::MAX), request("a", 60)];
            let tally = replay(kind, Cost::Value, 60, 1, &requests);
            assert_eq!((tally.hits, tally.refused, tally.evictions), (1, 2, 0), "{kind}");
            let long = request("l", MAX_BULK_BYTES as u64 + 1);
            let tally = replay(kind, Cost::Object, 60, 1, &[long.clone(), long]);
            assert_eq!((tally.hits, tally.refused), (0, 2), "{kind}: no value is that long");
        }
    }

    #[test]
    fn ratios_without_requests_or_sizes_are_zero() {
        assert_eq!((Tally::default().hit_ratio(), Tally::default().byte_hit_ratio()), (0.0, 0.0));
        let sizeless = replay(PolicyKind::Lru, Cost::Value, 1, 1, &[request("a", 0), request("a", 0)]);
        assert_eq!((sizeless.hit_ratio(), sizeless.byte_hit_ratio()), (0.5, 0.0));
    }

    /// How many requests hit a queue of `size` keys, of which a hit renews its key or not.
    fn model_hits(keys: &[u8], size: usize, renews: bool) -> u64 {
        let (mut queue, mut hits) = (VecDeque::new(), 0);
        for key in keys {
            let at = queue.iter().position(|held| held == key);
            hits += u64::from(at.is_some());
            if let Some(at) = at.filter(|_| renews) {
                queue.remove(at);
            } else if at.is_some() {
                continue;
            } else if queue.len() == size {
                queue.pop_front();
            }
            queue.push_back(*key);
        }
        hits
    }

    proptest! {
        #[test]
        fn lru_and_fifo_agree_with_a_queue_in_any_number_of_partitions(
            keys in prop::collection::vec(0..30u8, 0..300), size in 1..20usize, bits in 0..9u32,
        ) {
            let requests: Vec<Request> = keys.iter().map(|key| request(&format!("key {key}"), 1)).collect();
            for (kind, renews) in [(PolicyKind::Lru, true), (PolicyKind::Fifo, false)] {
                let tally = replay(kind, Cost::Object, size as u64, 1 << bits, &requests);
                prop_assert_eq!(tally.hits, model_hits(&keys, size, renews));
            }
        }

        #[test]
        fn a_cache_keeps_its_size_whatever_the_sizes(
            asked in prop::collection::vec((0..30u8, 0..50u64), 0..200), size in 1..100u64,
        ) {
            for kind in PolicyKind::ALL {
                let mut cache = Cache::new(kind, Cost::Value, size, PartitionCount::new(4).unwrap());
                for (key, size_bytes) in &asked {
                    cache.request(&request(&key.to_string(), *size_bytes));
                    prop_assert!(cache.pool.used() <= size);
                }
                let tally = cache.tally();
                let held = cache.shards.iter().map(|shard| shard.len(TenantId(0)) as u64).sum::<u64>();
                prop_assert_eq!(tally.requests, tally.hits + tally.refused + tally.evictions + held);
            }
        }
    }
}
