//! The leader is cut off for about as long as a lease lasts, which may be too short for another to be elected, and
//! comes back.
//!
//! It has heard nobody in that time; that must not be held against the others.

use super::{Scenario, Script, THREE, between, during};
use crate::{fault::Victim, world::World};
use predis_types::SplitMix64;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "leader-cut-off",
    about: "the leader is cut off for about a lease",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, _: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let cut = between(rng, 800, 2_000);
        during(&mut script, time, cut, Victim::leader().episode(World::isolate, World::rejoin));
        time += cut + between(rng, 400, 1_200);
    }
    script
}
