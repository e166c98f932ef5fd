//! SCAN, KEYS, RANDOMKEY and the keys of a slot over data that changes meanwhile.

use std::collections::BTreeSet;

use bytes::Bytes;
use predis_types::{Slot, key_slot, mix64};
use proptest::prelude::*;

use super::rig::{Rig, cx, deleted, show};
use crate::{DeleteReason, HashPosition, ScanOptions};

fn scan(rig: &mut Rig, from: HashPosition, line: &str) -> (Vec<Bytes>, Option<HashPosition>) {
    let words: Vec<Bytes> =
        line.split_whitespace().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
    let options = ScanOptions::parse(&words).unwrap();
    let page = rig.shard.scan(&cx!(rig), from, &options, &mut rig.effects);
    (page.keys, page.next)
}

fn scan_all(rig: &mut Rig, line: &str) -> Vec<Bytes> {
    let mut keys = Vec::new();
    let mut from = Some(HashPosition::START);
    while let Some(position) = from {
        let (page, next) = scan(rig, position, line);
        keys.extend(page);
        from = next;
    }
    keys
}

fn set(rig: &mut Rig, key: &str) {
    assert_eq!(show(&rig.call(&format!("SET {key} v"))), "OK");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Growth by thousands of keys and shrinking again, between the steps of a SCAN.
    #[test]
    fn scan_survives_rehash(seed in any::<u64>(), count in 1usize..200, kept in 0usize..600) {
        let mut rig = Rig::new();
        (0..kept).for_each(|n| set(&mut rig, &format!("kept:{n}")));
        let mut returned = Vec::new();
        let (mut from, mut word) = (Some(HashPosition::START), seed);
        let mut others = Vec::new();
        while let Some(position) = from {
            word = mix64(word);
            if word % 3 == 0 && others.len() < 3000 {
                for n in 0..500 {
                    let key = format!("other:{word}:{n}");
                    set(&mut rig, &key);
                    others.push(key);
                }
            } else if word % 3 == 1 {
                for key in others.drain(others.len() / 2..) {
                    rig.call(&format!("DEL {key}"));
                }
            }
            let (keys, next) = scan(&mut rig, position, &format!("COUNT {count}"));
            returned.extend(keys.into_iter().filter(|key| key.starts_with(b"kept:")));
            from = next;
        }
        let once: BTreeSet<Bytes> = returned.iter().cloned().collect();
        prop_assert_eq!((once.len(), returned.len()), (kept, kept));
    }
}

#[test]
fn scan_options_filter() {
    let mut rig = Rig::new();
    (0..300).for_each(|n| set(&mut rig, &format!("k{n}")));
    assert_eq!(scan_all(&mut rig, "").len(), 300);
    assert_eq!(scan_all(&mut rig, "MATCH k2? COUNT 50").len(), 10);
    assert_eq!(scan_all(&mut rig, "TYPE STRING match k1").len(), 1);
    assert_eq!(scan_all(&mut rig, "TYPE hash").len(), 0);
    assert!(scan(&mut rig, HashPosition::START, "COUNT 7").0.len() >= 7);
    for (line, error) in [
        ("COUNT", "-ERR syntax error"),
        ("COUNT 0", "-ERR syntax error"),
        ("COUNT -1", "-ERR syntax error"),
        ("COUNT x", "-ERR value is not an integer or out of range"),
        ("FOO 1", "-ERR syntax error"),
    ] {
        let words: Vec<Bytes> = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        assert_eq!(show(&ScanOptions::parse(&words).unwrap_err()), error, "{line}");
    }
}

#[test]
fn walks_remove_what_has_expired() {
    let mut rig = Rig::new();
    rig.script(&[("SET a v PX 10", "OK"), ("SET b v", "OK"), ("SLEEP 11", "")]);
    rig.take_effects();
    assert_eq!(scan_all(&mut rig, ""), ["b"]);
    assert_eq!(rig.take_effects(), [deleted("a", DeleteReason::Expired)]);

    rig.script(&[("SET a v PX 10", "OK"), ("SLEEP 11", "")]);
    assert_eq!(rig.shard.keys(&cx!(rig), b"*", &mut rig.effects), ["b"]);
    assert_eq!(rig.take_effects().last(), Some(&deleted("a", DeleteReason::Expired)));

    rig.script(&[("SET a v PX 10", "OK"), ("SLEEP 11", "")]);
    for _ in 0..20 {
        rig.tick += 1;
        assert_eq!(rig.shard.random_key(&cx!(rig), &mut rig.effects).unwrap(), "b");
    }
    assert_eq!(rig.shard.len(rig.tenant), 1);
    rig.call("DEL b");
    assert_eq!(rig.shard.random_key(&cx!(rig), &mut rig.effects), None);
}

#[test]
fn random_keys_are_spread_evenly() {
    let mut rig = Rig::new();
    (0..20).for_each(|n| set(&mut rig, &format!("k{n}")));
    (20..200).for_each(|n| set(&mut rig, &format!("k{n}")));
    (20..200).for_each(|n| drop(rig.call(&format!("DEL k{n}"))));
    let mut drawn = std::collections::BTreeMap::new();
    for _ in 0..20_000 {
        rig.tick += 1;
        let key = rig.shard.random_key(&cx!(rig), &mut rig.effects).unwrap();
        *drawn.entry(key).or_insert(0) += 1;
    }
    assert_eq!(drawn.len(), 20);
    assert!(drawn.values().all(|n| (800..1200).contains(n)), "{drawn:?}");
}

#[test]
fn keys_match_patterns() {
    let mut rig = Rig::new();
    rig.script(&[("MSET one 1 two 2 three 3 \"\" 0", "OK")]);
    let mut matching = |pattern: &str| {
        let mut keys = rig.shard.keys(&cx!(rig), pattern.as_bytes(), &mut rig.effects);
        keys.sort();
        keys
    };
    assert_eq!(matching("*"), ["", "one", "three", "two"]);
    assert_eq!(matching("t*"), ["three", "two"]);
    assert_eq!(matching("?[nw]?"), ["one", "two"]);
    assert_eq!(matching("x*"), Vec::<Bytes>::new());
}

#[test]
fn keys_of_a_slot() {
    let mut rig = Rig::new();
    for n in 0..50 {
        set(&mut rig, &format!("{{tag}}{n}"));
        set(&mut rig, &format!("other{n}"));
    }
    let slot = key_slot(b"tag");
    let strays = (0..50).filter(|n| key_slot(format!("other{n}").as_bytes()) == slot).count();
    assert_eq!(rig.shard.count_keys_in_slot(rig.tenant, slot), 50 + strays);
    let keys = rig.shard.keys_in_slot(&cx!(rig), slot, 7, &mut rig.effects);
    assert!(keys.len() == 7 && keys.iter().all(|key| key_slot(key) == slot));
    assert_eq!(rig.shard.keys_in_slot(&cx!(rig), slot, 999, &mut rig.effects).len(), 50 + strays);
    assert_eq!(rig.shard.keys_in_slot(&cx!(rig), slot, 0, &mut rig.effects), Vec::<Bytes>::new());
    let other =
        (0..).filter_map(Slot::new).find(|s| rig.shard.count_keys_in_slot(rig.tenant, *s) == 0).unwrap();
    assert_eq!(rig.shard.keys_in_slot(&cx!(rig), other, 9, &mut rig.effects), Vec::<Bytes>::new());
}
