//! Costs and budgets: the pool holds what the entries cost, and eviction keeps the budget.

use bytes::Bytes;
use predis_policy::{PolicyKind, Pool};
use predis_resp::{Reply, lookup};
use predis_types::{PartitionCount, PartitionId, key_slot, mix64};
use proptest::prelude::*;

use super::generate::{Step, commands};
use super::rig::{HASH_KEY, Rig, TENANT, cx};
use crate::{Context, Cost, DeleteReason, Effect, Effects, Evicted, Shard};

/// What all entries cost, found without the shard's own sums.
fn cost_of_all(rig: &mut Rig, cost: Cost) -> u64 {
    let state = rig.state();
    match cost {
        Cost::Object => state.len() as u64,
        Cost::Value => state.values().map(|(value, _)| value.len() as u64).sum(),
        Cost::Memory => {
            let usage = |key| match rig.run(&[Bytes::from("MEMORY"), Bytes::from("USAGE"), key]) {
                Reply::Integer(bytes) => bytes as u64,
                // Met only now, and so removed: it costs nothing any more.
                Reply::Null => 0,
                other => panic!("{other:?}"),
            };
            state.into_keys().map(usage).sum()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn used_is_the_sum_of_costs_and_eviction_keeps_the_budget(
        steps in prop::collection::vec(commands(), 1..80),
        kind in prop::sample::select(&PolicyKind::ALL[..]),
        (cost, budget) in prop::sample::select(vec![
            (Cost::Memory, 600u64), (Cost::Memory, u64::MAX), (Cost::Value, 12), (Cost::Object, 3),
        ]),
    ) {
        let mut rig = Rig::with_budget(cost, kind, budget);
        for step in steps {
            match step {
                Step::Command(args) => drop(rig.run(&args)),
                Step::Sleep(ms) => rig.now_ms += ms,
                other => prop_assert!(false, "{:?}", other),
            }
            rig.evict();
            prop_assert!(!rig.pool.over());
            let sum = cost_of_all(&mut rig, cost);
            prop_assert_eq!(rig.pool.used(), sum);
            prop_assert_eq!(rig.shard.stats(rig.tenant).cost, sum);
        }
    }
}

/// Partitions that share a pool, as on a node.
struct Node {
    shards: Vec<Shard>,
    pool: Pool,
    partitions: PartitionCount,
    tick: u64,
    effects: Effects,
}

impl Node {
    fn new(partitions: u16, kind: PolicyKind, budget: u64) -> Node {
        let partitions = PartitionCount::new(partitions).unwrap();
        let shard = |partition: PartitionId| Shard::new(partition, HASH_KEY).with_cost(Cost::Object);
        let pool = Pool::new(kind, usize::from(partitions.get()), budget);
        Node {
            shards: partitions.iter().map(shard).collect(),
            pool,
            partitions,
            tick: 0,
            effects: Effects::new(),
        }
    }

    /// Reads a key and sets it when it was not there; whether it was.
    fn request(&mut self, key: u64) -> bool {
        self.tick += 1;
        let key = Bytes::from(key.to_string());
        let shard = &mut self.shards[usize::from(self.partitions.partition_of(key_slot(&key)).0)];
        let cx = Context { tenant: TENANT, now_ms: 0, tick: self.tick, rng: 0, pool: &self.pool };
        let get = [Bytes::from("GET"), key.clone()];
        let hit = shard.execute(&cx, lookup(&get).unwrap(), &get, &mut self.effects) != Reply::Null;
        if !hit {
            let set = [Bytes::from("SET"), key, Bytes::from("v")];
            shard.execute(&cx, lookup(&set).unwrap(), &set, &mut self.effects);
        }
        self.evict();
        hit
    }

    fn evict(&mut self) {
        while self.pool.over() {
            let (partition, class) = self.pool.victim().expect("what is over its budget has a victim");
            let cx = Context { tenant: TENANT, now_ms: 0, tick: self.tick, rng: 0, pool: &self.pool };
            self.shards[partition].evict(&cx, class, &mut self.effects);
        }
    }

    fn keys(&self) -> usize {
        self.shards.iter().map(|shard| shard.len(TENANT)).sum()
    }
}

#[test]
fn many_partitions_evict_like_one() {
    for kind in PolicyKind::ALL {
        let mut hits = [0i64; 2];
        for (run, partitions) in [1, 64].into_iter().enumerate() {
            let mut node = Node::new(partitions, kind, 500);
            let mut word = 3;
            for _ in 0..30_000 {
                word = mix64(word);
                // A skewed choice among 4000 keys.
                let key = (word % 4000) * ((word >> 32) % 4000) / 4000;
                hits[run] += i64::from(node.request(key));
            }
            assert_eq!((node.keys(), node.pool.used()), (500, 500), "{kind}");
        }
        assert!((hits[0] - hits[1]).abs() <= 30_000 / 200, "{kind}: {hits:?}");
        assert!(hits[0] > 3000, "{kind}: {hits:?}");
    }
}

#[test]
fn eviction_is_an_effect() {
    let mut rig = Rig::with_budget(Cost::Object, PolicyKind::Fifo, 2);
    rig.script(&[("SET a 1", "OK"), ("SET b 2", "OK"), ("SET c 3", "OK")]);
    rig.take_effects();
    let (partition, class) = rig.pool.victim().unwrap();
    let cx = cx!(rig);
    let evicted = rig.shard.evict(&cx, class, &mut rig.effects);
    assert_eq!((partition, evicted), (0, Evicted::Key { key: Bytes::from("a"), cost: 1 }));
    let gone = Effect::Delete { key: Bytes::from("a"), reason: DeleteReason::Evicted };
    assert_eq!(rig.take_effects(), [gone]);
    assert_eq!(rig.shard.stats(TENANT).counters.evicted, 1);
    assert_eq!(rig.shard.evict(&cx!(rig), 1, &mut rig.effects), Evicted::Empty);
}

#[test]
fn reads_and_overwrites_are_uses_and_looking_is_not() {
    for (line, survives) in [
        ("GET a", true),
        ("MGET a", true),
        ("STRLEN a", true),
        ("GETEX a", true),
        ("TOUCH a", true),
        ("SET a 2", true),
        ("APPEND a 2", true),
        ("INCR a", true),
        ("EXPIRE a 100", true),
        ("TTL a", false),
        ("EXISTS a", false),
        ("TYPE a", false),
        ("OBJECT ENCODING a", false),
        ("MEMORY USAGE a", false),
    ] {
        let mut rig = Rig::with_budget(Cost::Object, PolicyKind::Lru, 2);
        rig.script(&[("SET a 1", "OK"), ("SET b 1", "OK")]);
        rig.call(line);
        rig.script(&[("SET c 1", "OK")]);
        assert_eq!(rig.evict(), 1);
        assert_eq!(rig.state().contains_key(&b"a"[..]), survives, "{line}");
    }
}

#[test]
fn a_change_of_policy_moves_the_costs_to_the_new_pool() {
    for kind in PolicyKind::ALL {
        let mut node = Node::new(4, PolicyKind::Lru, u64::MAX);
        (0..1000).for_each(|key| assert!(!node.request(key)));
        let old = std::mem::replace(&mut node.pool, Pool::new(kind, 4, 400));
        for shard in &mut node.shards {
            node.tick += 1;
            let cx = Context { tenant: TENANT, now_ms: 0, tick: node.tick, rng: 0, pool: &node.pool };
            shard.set_policy(&cx, &old);
        }
        assert_eq!((old.used(), old.items(), node.pool.used()), (0, 0, 1000));
        node.evict();
        assert_eq!((node.keys(), node.pool.used()), (400, 400));
        let sizes: Vec<usize> = node.shards.iter().map(|shard| shard.len(TENANT)).collect();
        // S3-FIFO puts what comes first into its main queue, so there the order of partitions shows.
        let even = kind == PolicyKind::S3fifo || sizes.iter().all(|size| (60..140).contains(size));
        assert!(even, "{kind}: no partition is emptied first: {sizes:?}");
    }
}

#[test]
fn dropping_a_tenant_gives_its_budget_back() {
    let mut rig = Rig::new();
    rig.script(&[("MSET a 1 b 2 c 3", "OK")]);
    let cx = cx!(rig);
    assert_eq!(rig.shard.drop_tenant(&cx).keys(), 3);
    assert_eq!((rig.pool.used(), rig.pool.victim(), rig.shard.tenants().count()), (0, None, 0));
}
