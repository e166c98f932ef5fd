//! The leader's process dies and comes back, twice.

use super::{Scenario, Script, THREE, between, during};
use crate::{fault::Victim, world::World};
use predis_types::SplitMix64;
use std::time::Duration;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "leader-crash",
    about: "the leader crashes and restarts, twice",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, _: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let down = between(rng, 10, 1_500);
        during(&mut script, time, down, Victim::leader().episode(World::crash, World::restart));
        time += down + Duration::from_millis(700);
    }
    script
}
