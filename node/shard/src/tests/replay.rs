//! The effects of any history, applied to an empty shard, give the same data.

use std::collections::BTreeMap;

use predis_policy::{PolicyKind, Pool};
use predis_types::{PartitionId, TenantId};
use proptest::prelude::*;

use super::generate::{Step, steps};
use super::rig::{HASH_KEY, Rig, State, cx, state_of};
use crate::{Context, Cost, Effect, Shard};

/// A replica: a shard that only ever applies.
struct Replica {
    shard: Shard,
    pool: Pool,
}

impl Replica {
    fn new() -> Replica {
        Replica {
            shard: Shard::new(PartitionId(0), HASH_KEY),
            pool: Pool::new(PolicyKind::S3fifo, 1, u64::MAX),
        }
    }

    fn apply(&mut self, tenant: TenantId, now_ms: u64, effects: &[Effect]) {
        for effect in effects {
            // A replica's own ticks and chance differ; the data must not.
            let cx = Context { tenant, now_ms, tick: 1, rng: 0, pool: &self.pool };
            self.shard.apply(&cx, effect);
        }
    }
}

fn states(shard: &Shard) -> BTreeMap<TenantId, State> {
    (0..2).map(TenantId).map(|tenant| (tenant, state_of(shard, tenant))).collect()
}

/// One step on the primary.
fn happen(rig: &mut Rig, step: Step) {
    match step {
        Step::Command(args) => {
            rig.run(&args);
            rig.evict();
        }
        Step::Sleep(ms) => rig.now_ms += ms,
        Step::Expire(limit) => {
            rig.expire(limit);
        }
        Step::Flush => {
            let cx = cx!(rig);
            drop(rig.shard.flush(&cx, &mut rig.effects));
        }
        Step::Tenant(tenant) => rig.tenant = TenantId(tenant),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, ..ProptestConfig::default() })]

    #[test]
    fn effects_rebuild_the_shard(
        steps in prop::collection::vec(steps(), 1..150),
        kind in prop::sample::select(&PolicyKind::ALL[..]),
        budget in prop::sample::select(vec![500u64, 1000, u64::MAX]),
    ) {
        let mut rig = Rig::with_budget(Cost::Memory, kind, budget);
        let mut replica = Replica::new();
        for step in steps {
            let before = states(&rig.shard);
            happen(&mut rig, step);
            let effects = rig.take_effects();
            prop_assert!(!effects.is_empty() || before == states(&rig.shard), "data changed without an effect");
            replica.apply(rig.tenant, rig.now_ms, &effects);
            prop_assert_eq!(states(&rig.shard), states(&replica.shard));
        }
    }

    /// Effects are absolute: applying the tail of a stream a second time changes nothing.
    #[test]
    fn a_repeated_last_effect_changes_nothing(steps in prop::collection::vec(steps(), 1..60)) {
        let mut rig = Rig::new();
        for step in steps {
            happen(&mut rig, step);
            let effects = rig.take_effects();
            if let Some(last) = effects.last() {
                let before = states(&rig.shard);
                let cx = cx!(rig);
                rig.shard.apply(&cx, last);
                prop_assert_eq!(before, states(&rig.shard));
            }
        }
    }
}
