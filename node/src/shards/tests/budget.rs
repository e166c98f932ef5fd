//! Budgets and policies over many partitions.

use super::*;
use crate::shards::admission::OOM;
use predis_types::{Rng, mix64};
use std::thread;

const BUDGET: u64 = 100_000;

/// Writes, overwrites, appends and deletes at random from several threads. Only where shards come and go meanwhile
/// may a request be refused.
fn hammer(rig: &Rig, seed: u64, is_stable: bool) {
    let worker = |number: u64| {
        let mut rng = SplitMix64::new(mix64(seed ^ number));
        for _ in 0..3_000 {
            let key = format!("k{}", rng.below(2_000));
            let line = match rng.below(8) {
                0 => format!("DEL {key}"),
                1 => format!("APPEND {key} {}", "a".repeat(rng.below(100) as usize)),
                2 | 3 => format!("GET {key}"),
                _ => format!("SET {key} {}", "v".repeat(rng.below(300) as usize + 1)),
            };
            let answer = rig.call(&line);
            let fine = match &answer {
                Answer::Reply(reply) => !reply.is_error(),
                refused => {
                    !is_stable && matches!(refused, Answer::TryAgain | Answer::ClusterDown | Answer::Withheld)
                }
            };
            assert!(fine, "{line}: {answer:?}");
        }
    };
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || worker(number));
        }
    });
}

/// What the pool believes is what the shards hold.
fn assert_accounted(rig: &Rig) {
    assert_eq!(rig.used(), rig.shards.stats(TENANT).cost);
}

#[test]
fn many_partitions_and_threads_keep_one_budget() {
    for kind in PolicyKind::ALL {
        let rig = Rig::with_memory(256, BUDGET);
        rig.shards.configure_tenant(TENANT, kind, None, false);
        hammer(&rig, 1, true);
        assert!(rig.used() <= BUDGET, "{kind} uses {}", rig.used());
        assert!(rig.used() > BUDGET / 2, "{kind} evicted too much: {}", rig.used());
        assert!(rig.shards.stats(TENANT).counters.evicted > 1_000);
        assert_accounted(&rig);
    }
}

#[test]
fn each_write_keeps_the_budget_when_it_returns() {
    let rig = Rig::with_memory(16, 5_000);
    for i in 0..500u64 {
        rig.clock.advance_ms(1);
        assert_eq!(rig.call(&format!("SET k{i} {}", "v".repeat((mix64(i) % 900) as usize))), ok());
        assert!(rig.used() <= 5_000);
        let newest = rig.call(&format!("EXISTS k{i}"));
        assert_eq!(newest, number(1), "what was written last is the last to go");
    }
}

#[test]
fn what_is_larger_than_the_whole_budget_is_refused_and_costs_nobody_anything() {
    let rig = Rig::with_memory(1, 2_000);
    rig.call("SET k v");
    let large = "v".repeat(2_000);
    for line in [
        format!("SET big {large}"),
        format!("SETNX big {large}"),
        format!("SETEX big 10 {large}"),
        format!("GETSET big {large}"),
        format!("APPEND k {large}"),
        format!("APPEND big {large}"),
        "SETRANGE big 2000 v".to_owned(),
        format!("MSET a v big {large}"),
    ] {
        assert_eq!(rig.call(&line), Answer::Reply(Reply::error(OOM)), "{line}");
    }
    assert_eq!(rig.call("GET k"), text("v"));
    assert_eq!(rig.shards.stats(TENANT).counters.evicted, 0);
    assert_eq!(rig.call(&format!("SET grown {}", "v".repeat(1_000))), ok());
    assert_eq!(rig.call(&format!("APPEND grown {}", "v".repeat(900))), Answer::Reply(Reply::error(OOM)));
    assert_eq!(rig.call("STRLEN grown"), number(1_000));
    assert!(rig.used() <= 2_000);
    let wrong = rig.call("SETRANGE k -1 v");
    assert!(matches!(wrong, Answer::Reply(Reply::Error(text)) if text.starts_with("ERR offset")));
}

#[test]
fn a_smaller_budget_is_kept_at_once_and_a_larger_one_leaves_room() {
    let rig = Rig::with_memory(16, BUDGET);
    for i in 0..200 {
        rig.call(&format!("SET k{i} v"));
    }
    let used = rig.used();
    rig.shards.set_memory_bytes(Some(used / 2));
    assert!(rig.used() <= used / 2 && rig.used() > used / 3);
    assert_accounted(&rig);
    rig.shards.configure_tenant(TENANT, PolicyKind::Lru, Some(used / 4), false);
    assert!(rig.used() <= used / 4);
    assert_eq!(rig.shards.budget(TENANT).unwrap().limit_bytes, Some(used / 4));
    rig.shards.set_memory_bytes(None);
    assert_eq!(rig.shards.budget(TENANT).unwrap().limit_bytes, Some(used / 4), "it has its own");
    rig.shards.configure_tenant(TENANT, PolicyKind::Lru, None, false);
    assert_eq!(rig.shards.budget(TENANT).unwrap().limit_bytes, None);
    assert_eq!(rig.shards.memory_bytes(), None);
}

#[test]
fn another_policy_keeps_the_keys() {
    let rig = Rig::with_memory(16, BUDGET);
    for i in 0..100 {
        rig.call(&format!("SET k{i} {i}"));
    }
    let used = rig.used();
    for kind in [PolicyKind::S3fifo, PolicyKind::Fifo, PolicyKind::Lru] {
        rig.shards.configure_tenant(TENANT, kind, None, false);
        assert_eq!(rig.shards.budget(TENANT).unwrap().policy, kind);
        assert_eq!((rig.used(), rig.shards.stats(TENANT).keys), (used, 100));
    }
    assert_eq!(rig.call("GET k42"), text("42"));
    rig.shards.set_memory_bytes(Some(used / 2));
    assert!(rig.used() <= used / 2, "the new policy evicts what the old one kept");
    assert_accounted(&rig);
}

#[test]
fn policies_shards_and_budgets_may_change_under_load() {
    let rig = Rig::with_memory(64, BUDGET);
    thread::scope(|scope| {
        scope.spawn(|| hammer(&rig, 2, false));
        scope.spawn(|| {
            for round in 0..30u64 {
                let kind = PolicyKind::ALL[round as usize % PolicyKind::ALL.len()];
                rig.shards.configure_tenant(TENANT, kind, None, false);
                rig.own(round as u16, Some(ME), 2 + round);
                rig.shards.set_memory_bytes(Some(BUDGET / (1 + round % 3)));
                rig.shards.expire(10);
            }
        });
    });
    rig.shards.set_memory_bytes(Some(BUDGET));
    rig.call("SET last v");
    assert!(rig.used() <= BUDGET);
    assert_accounted(&rig);
}

#[test]
fn a_budget_that_shrank_by_much_is_reached_step_by_step() {
    let rig = Rig::with_memory(4, u64::MAX);
    for partition in 0..4 {
        let lines: Vec<String> = (0..10_000).map(|i| format!("SET k{i} v")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        rig.ask(partition, commands(&lines));
    }
    rig.shards.set_memory_bytes(Some(BUDGET));
    assert!(rig.used() > BUDGET, "one call does not stop the node for as long as that takes");
    let steps = (0..10).take_while(|_| {
        rig.shards.expire(10);
        rig.used() > BUDGET
    });
    assert!(steps.count() < 10);
    assert_accounted(&rig);
}

#[test]
fn a_tail_without_a_shard_behind_it_does_not_stop_eviction() {
    let rig = Rig::with_memory(4, BUDGET);
    rig.clock.advance_ms(1);
    rig.ask(0, commands(&["SET a v", "SET b v"]));
    rig.own(1, Some(OTHER), 2);
    {
        let tenants = rig.shards.tenants.load();
        let pool = tenants.pool(TENANT).unwrap();
        let elsewhere = predis_policy::Pool::new(PolicyKind::Lru, 4, u64::MAX);
        let mut policy = PolicyKind::Lru.build();
        policy.insert(&elsewhere, 0, 0, 1, 0);
        pool.publish(1, &*policy);
        assert_eq!(pool.victim(), Some((1, 0)), "the oldest of all");
    }
    rig.shards.set_memory_bytes(Some(rig.used() / 2));
    assert_eq!(rig.shards.stats(TENANT).keys, 1);
}
