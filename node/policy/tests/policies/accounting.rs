//! The pool's sums stay right, and nothing panics, whatever the ticks, the handles and the threads do.

use std::collections::BTreeMap;
use std::sync::Mutex;

use predis_policy::{CLASSES, Eviction, Handle, Policy, PolicyKind, Pool};
use predis_types::{Rng, SplitMix64};
use proptest::prelude::*;

/// One call on a policy, with arguments that need not make sense.
#[derive(Clone, Debug)]
enum Call {
    Insert { handle: Handle, cost: u64, tick: u64 },
    Hit { handle: Handle, tick: u64 },
    Resize { handle: Handle, cost: u64 },
    Remove { handle: Handle },
    Evict { class: usize, tick: u64 },
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let handle = || prop_oneof![30 => 0..20u32, 1 => Just(u32::MAX), 1 => Just(u32::MAX - 1)];
    let tick = || prop_oneof![5 => 0..1000u64, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    let call = prop_oneof![
        3 => (handle(), 0..9u64, tick()).prop_map(|(handle, cost, tick)| Call::Insert { handle, cost, tick }),
        4 => (handle(), tick()).prop_map(|(handle, tick)| Call::Hit { handle, tick }),
        1 => (handle(), 0..9u64).prop_map(|(handle, cost)| Call::Resize { handle, cost }),
        1 => handle().prop_map(|handle| Call::Remove { handle }),
        2 => (0..CLASSES + 1, tick()).prop_map(|(class, tick)| Call::Evict { class, tick }),
    ];
    prop::collection::vec(call, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_calls_keep_the_sums(calls in calls(), kind in prop::sample::select(&PolicyKind::ALL)) {
        let pool = Pool::new(kind, 1, 30);
        let mut policy = kind.build();
        let mut held: BTreeMap<Handle, u64> = BTreeMap::new();
        for call in calls {
            match call {
                Call::Insert { handle, cost, tick } => {
                    policy.insert(&pool, handle, u64::from(handle), cost, tick);
                    if handle < 20 {
                        held.insert(handle, cost);
                    }
                }
                Call::Hit { handle, tick } => policy.hit(&pool, handle, tick),
                Call::Resize { handle, cost } => {
                    policy.resize(&pool, handle, cost);
                    held.entry(handle).and_modify(|held| *held = cost);
                }
                Call::Remove { handle } => {
                    policy.remove(&pool, handle);
                    held.remove(&handle);
                }
                Call::Evict { class, tick } => match policy.evict(&pool, class, tick) {
                    Eviction::Victim(handle) => prop_assert!(held.remove(&handle).is_some()),
                    Eviction::Again => prop_assert!(!held.is_empty()),
                    Eviction::Empty => prop_assert_eq!(policy.tail(class), None),
                },
            }
            pool.publish(0, &*policy);
            prop_assert_eq!(pool.used(), held.values().sum::<u64>());
            prop_assert_eq!(pool.items(), held.len() as u64);
            prop_assert_eq!(pool.victim().is_some(), !held.is_empty());
        }
        policy.clear(&pool);
        prop_assert_eq!((pool.used(), pool.items(), policy.tail(0), policy.tail(1)), (0, 0, None, None));
    }
}

/// A partition as a node holds it: the policy and which handles are in use, behind one lock.
struct Shard {
    policy: Box<dyn Policy>,
    costs: BTreeMap<Handle, u64>,
}

/// One thread's work: random calls on random shards, evicting while over the budget.
fn work(pool: &Pool, shards: &[Mutex<Shard>], seed: u64) {
    let mut rng = SplitMix64::new(seed);
    for tick in 0..20_000u64 {
        let at = rng.below(shards.len() as u64) as usize;
        let handle = rng.below(64) as Handle;
        let cost = rng.below(10);
        let mut guard = shards[at].lock().expect("no thread panicked");
        let shard = &mut *guard;
        match rng.below(8) {
            0 => {
                shard.policy.remove(pool, handle);
                shard.costs.remove(&handle);
            }
            _ if shard.costs.contains_key(&handle) => shard.policy.hit(pool, handle, tick),
            _ => {
                shard.policy.insert(pool, handle, rng.below(5000), cost, tick);
                shard.costs.insert(handle, cost);
            }
        }
        pool.publish(at, &*shard.policy);
        drop(guard);
        while pool.over() {
            let Some((at, class)) = pool.victim() else { break };
            let mut guard = shards[at].lock().expect("no thread panicked");
            let shard = &mut *guard;
            if let Eviction::Victim(handle) = shard.policy.evict(pool, class, tick) {
                assert!(shard.costs.remove(&handle).is_some(), "a victim is a held entry");
            }
            pool.publish(at, &*shard.policy);
        }
    }
}

#[test]
fn threads_on_many_partitions_keep_the_sums_and_the_budget() {
    for kind in PolicyKind::ALL {
        let pool = Pool::new(kind, 16, 1000);
        let shard = || Mutex::new(Shard { policy: kind.build(), costs: BTreeMap::new() });
        let shards: Vec<_> = std::iter::repeat_with(shard).take(16).collect();
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let (pool, shards) = (&pool, &shards);
                scope.spawn(move || work(pool, shards, seed));
            }
        });
        let left: u64 = shards.iter().map(|shard| shard.lock().unwrap().costs.values().sum::<u64>()).sum();
        assert_eq!(pool.used(), left, "{kind}");
        assert!(!pool.over() && left > 500, "{kind}: {left} of 1000 used");
        for (at, shard) in shards.iter().enumerate() {
            let mut shard = shard.lock().unwrap();
            shard.policy.clear(&pool);
            pool.publish(at, &*shard.policy);
        }
        assert_eq!((pool.used(), pool.items(), pool.victim()), (0, 0, None), "{kind}");
    }
}
