//! The shard agrees with the model, reply by reply, under random commands, time and expiry.

use proptest::prelude::*;

use super::generate::{Step, commands};
use super::model::{Model, Stop};
use super::rig::{Rig, START_MS, show};
use crate::{DeleteReason, Effect};

/// A failing command may have met expired keys, and has done nothing else.
fn only_expired(effects: &[Effect]) -> bool {
    effects.iter().all(|effect| matches!(effect, Effect::Delete { reason: DeleteReason::Expired, .. }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn replies_and_final_state_agree(steps in prop::collection::vec(commands(), 1..120)) {
        let mut rig = Rig::new();
        let mut model = Model { map: Default::default(), now: START_MS };
        for step in steps {
            match step {
                Step::Sleep(ms) => {
                    rig.now_ms += ms;
                    model.now += ms;
                }
                Step::Command(args) if args[0] == "OBJECT" => {
                    rig.run(&args);
                }
                Step::Command(args) => {
                    rig.take_effects();
                    let reply = rig.run(&args);
                    match model.run(&args) {
                        Ok(expected) => prop_assert_eq!(show(&reply), show(&expected), "{:?}", args),
                        Err(Stop::Beyond) => return Ok(()),
                        Err(Stop::Refused) => {
                            prop_assert!(reply.is_error(), "{:?} answered {}", args, show(&reply));
                            prop_assert!(only_expired(&rig.take_effects()), "{:?}", args);
                        }
                    }
                }
                other => prop_assert!(false, "not for the model: {:?}", other),
            }
        }
        rig.expire(usize::MAX);
        let now = model.now;
        let alive = model.map.into_iter().filter(|(_, (_, at))| at.is_none_or(|at| now <= at));
        let expected = alive.map(|(key, (value, at))| (key.into(), (value.into(), at))).collect();
        prop_assert_eq!(rig.state(), expected);
        prop_assert_eq!(rig.pool.items() as usize, rig.shard.len(rig.tenant));
    }
}
