//! Pages and changes put together, held against a model that simply does everything in order.

use crate::fate::{Fates, Key};
use bytes::Bytes;
use predis_proto::replica::{Change, Delete, Effect, Expire, Flush, Set, Write, effect::Kind};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Held = (Vec<u8>, Option<u64>);
type Model = BTreeMap<(u32, Bytes), Held>;

/// What a partition does with an effect, in the plainest way.
fn apply(model: &mut Model, tenant: u32, kind: &Kind) {
    match kind.clone() {
        Kind::Set(set) => {
            model.insert((tenant, set.key), (set.value.to_vec(), set.expire_at_ms));
        }
        Kind::Write(write) => {
            let (value, _) = model.entry((tenant, write.key)).or_default();
            let offset = write.offset as usize;
            let end = offset + write.bytes.len();
            value.resize(value.len().max(end), 0);
            value[offset..end].copy_from_slice(&write.bytes);
        }
        Kind::Expire(expire) => {
            if let Some((_, at)) = model.get_mut(&(tenant, expire.key)) {
                *at = expire.at_ms;
            }
        }
        Kind::Delete(delete) => drop(model.remove(&(tenant, delete.key))),
        Kind::Flush(_) => model.retain(|(of, _), _| *of != tenant),
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    let key = || (0..12u8).prop_map(|key| Bytes::from(vec![b'k', key]));
    let value = || proptest::collection::vec(any::<u8>(), 0..4).prop_map(Bytes::from);
    let time = || proptest::option::of(0..9u64);
    prop_oneof![
        4 => (key(), value(), time()).prop_map(|(key, value, expire_at_ms)| Kind::Set(Set { key, value, expire_at_ms })),
        5 => (key(), 0..6u64, value()).prop_map(|(key, offset, bytes)| Kind::Write(Write { key, offset, bytes })),
        3 => (key(), time()).prop_map(|(key, at_ms)| Kind::Expire(Expire { key, at_ms })),
        3 => (key(), 0..3u32).prop_map(|(key, reason)| Kind::Delete(Delete { key, reason })),
        1 => Just(Kind::Flush(Flush {})),
    ]
}

fn changes(most: usize) -> impl Strategy<Value = Vec<(u32, Vec<Kind>)>> {
    proptest::collection::vec((0..2u32, proptest::collection::vec(kind(), 1..4)), 0..most)
}

fn carry_out(model: &mut Model, changes: &[(u32, Vec<Kind>)], log: &mut Vec<Change>) {
    for (tenant, kinds) in changes {
        let mut effects = Vec::new();
        for kind in kinds {
            // No primary says when a key expires that is not there.
            if matches!(kind, Kind::Expire(expire) if !model.contains_key(&(*tenant, expire.key.clone()))) {
                continue;
            }
            apply(model, *tenant, kind);
            effects.push(Effect { kind: Some(kind.clone()) });
        }
        log.push(Change { tenant: *tenant, at_ms: 0, effects });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Keys are paged in their order, some at a time, and between two pages things are done to any of them.
    #[test]
    fn pages_and_changes_are_what_was_there_in_the_end(
        before in changes(25),
        during in proptest::collection::vec((1..6usize, changes(8)), 1..12),
    ) {
        let (mut model, mut pages, mut log) = (Model::new(), Vec::new(), Vec::new());
        carry_out(&mut model, &before, &mut Vec::new());
        let mut from = Some((0, Bytes::new()));
        let last = during.len() - 1;
        for (number, (count, done)) in during.iter().enumerate() {
            if let Some(place) = from.take() {
                let count = if number == last { usize::MAX } else { *count };
                let mut ahead = model.range(place..);
                pages.extend(ahead.by_ref().take(count).map(|(key, held)| (key.clone(), held.clone())));
                from = ahead.next().map(|(key, _)| key.clone());
            }
            carry_out(&mut model, if number == last { &[] } else { done }, &mut log);
        }
        let mut fates = Fates::default();
        log.into_iter().for_each(|change| fates.add(change));
        let mut found: Vec<Key> = Vec::new();
        for ((tenant, key), (value, expire_at_ms)) in pages {
            found.extend(fates.settle(tenant, Set { key, value: value.into(), expire_at_ms }));
        }
        found.extend(fates.rest());
        let count = found.len();
        let found: Model =
            found.into_iter().map(|k| ((k.tenant, k.key), (k.value.to_vec(), k.expire_at_ms))).collect();
        prop_assert_eq!(found.len(), count, "each key once");
        prop_assert_eq!(found, model);
    }
}

#[test]
fn a_write_far_out_takes_no_memory_and_does_nothing() {
    let mut fates = Fates::default();
    let write = |offset| Kind::Write(Write { key: "k".into(), offset, bytes: "x".into() });
    for offset in [u64::MAX, 512 << 20] {
        fates.add(Change { tenant: 0, at_ms: 0, effects: vec![Effect { kind: Some(write(offset)) }] });
    }
    assert_eq!(fates.rest().count(), 0);
}
