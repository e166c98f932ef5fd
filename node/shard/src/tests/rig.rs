//! A shard with a pool, a clock and a memory of effects, driven by lines of text.

use std::collections::BTreeMap;

use bytes::Bytes;
use predis_policy::{PolicyKind, Pool};
use predis_resp::{Reply, lookup};
use predis_types::{PartitionId, TenantId};

use crate::{Context, Cost, DeleteReason, Effect, Effects, Evicted, HashPosition, Shard, Value};

pub(super) const HASH_KEY: [u64; 2] = [7, 11];
pub(super) const TENANT: TenantId = TenantId(0);
/// When a rig's clock starts, in milliseconds.
pub(super) const START_MS: u64 = 1_000_000;

/// A key's value and time of expiry.
pub(super) type State = BTreeMap<Bytes, (Bytes, Option<u64>)>;

pub(super) struct Rig {
    pub(super) shard: Shard,
    pub(super) pool: Pool,
    pub(super) tenant: TenantId,
    pub(super) now_ms: u64,
    pub(super) tick: u64,
    pub(super) effects: Effects,
}

/// The context of a call at this moment. A macro, so that the shard beside the pool can be borrowed too.
macro_rules! cx {
    ($rig:expr) => {
        crate::Context {
            tenant: $rig.tenant,
            now_ms: $rig.now_ms,
            tick: $rig.tick,
            rng: predis_types::mix64($rig.tick),
            pool: &$rig.pool,
        }
    };
}
pub(super) use cx;

impl Rig {
    pub(super) fn new() -> Rig {
        Rig::with_budget(Cost::Memory, PolicyKind::Lru, u64::MAX)
    }

    pub(super) fn with_budget(cost: Cost, kind: PolicyKind, budget: u64) -> Rig {
        Rig {
            shard: Shard::new(PartitionId(0), HASH_KEY).with_cost(cost),
            pool: Pool::new(kind, 1, budget),
            tenant: TENANT,
            now_ms: START_MS,
            tick: 0,
            effects: Effects::new(),
        }
    }

    /// Runs a command and keeps its effects.
    pub(super) fn run(&mut self, args: &[Bytes]) -> Reply {
        self.tick += 1;
        let spec = match lookup(args) {
            Ok(spec) => spec,
            Err(error) => return error.into(),
        };
        let cx = cx!(self);
        self.shard.execute(&cx, spec, args, &mut self.effects)
    }

    /// Runs a line of words; `""` is the empty word.
    pub(super) fn call(&mut self, line: &str) -> Reply {
        let words = line.split(' ').map(|word| if word == "\"\"" { "" } else { word });
        let args: Vec<Bytes> = words.map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        self.run(&args)
    }

    /// Runs lines and compares each reply, written as [`show`] does.
    pub(super) fn script(&mut self, lines: &[(&str, &str)]) {
        for (line, expected) in lines {
            match line.strip_prefix("SLEEP ") {
                Some(ms) => self.now_ms += ms.parse::<u64>().unwrap(),
                None => assert_eq!(show(&self.call(line)), *expected, "{line}"),
            }
        }
    }

    /// Evicts until the budget is kept; how many keys went.
    pub(super) fn evict(&mut self) -> usize {
        let mut evicted = 0;
        while self.pool.over()
            && let Some((_, class)) = self.pool.victim()
        {
            let cx = cx!(self);
            evicted +=
                usize::from(matches!(self.shard.evict(&cx, class, &mut self.effects), Evicted::Key { .. }));
        }
        evicted
    }

    pub(super) fn expire(&mut self, limit: usize) -> usize {
        let cx = cx!(self);
        self.shard.expire(&cx, limit, &mut self.effects)
    }

    pub(super) fn state(&self) -> State {
        state_of(&self.shard, self.tenant)
    }

    /// The effects since the last call of this.
    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects).into_iter().collect()
    }
}

/// Everything a tenant has in a shard, checked to come in hash order.
pub(super) fn state_of(shard: &Shard, tenant: TenantId) -> State {
    let page = shard.iterate(tenant, HashPosition::START, usize::MAX);
    assert!(page.entries.is_sorted_by_key(|entry| shard.position(&entry.key)));
    assert_eq!((page.entries.len(), page.next), (shard.len(tenant), None));
    let entries = page.entries.into_iter().map(|entry| {
        let Value::String(bytes) = entry.value;
        (entry.key, (bytes, entry.expire_at_ms))
    });
    entries.collect()
}

/// A reply as redis-cli might write it, on one line.
pub(super) fn show(reply: &Reply) -> String {
    match reply {
        Reply::Simple(text) => text.to_string(),
        Reply::Error(text) => format!("-{text}"),
        Reply::Integer(number) => format!(":{number}"),
        Reply::Bulk(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        Reply::Null => "nil".into(),
        Reply::Array(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        other => format!("{other:?}"),
    }
}

pub(super) fn deleted(key: &str, reason: DeleteReason) -> Effect {
    Effect::Delete { key: Bytes::copy_from_slice(key.as_bytes()), reason }
}

#[test]
fn a_shard_may_move_between_threads() {
    fn movable<T: Send>() {}
    movable::<Shard>();
    movable::<crate::Discarded>();
    movable::<Context<'_>>();
}
