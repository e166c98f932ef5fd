//! A node is slow in all it does, from noticeable to hardly alive, and is fast again.

use super::{Scenario, Script, THREE, between, during};
use crate::{
    fault::{Slowness, Victim},
    world::World,
};
use predis_types::SplitMix64;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "slow-node",
    about: "a node is slow in all it does",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let (slowness, lasts) = (Slowness::draw(rng), between(rng, 500, 2_500));
        let victim = Victim::draw(rng, nodes);
        let slow = move |world: &mut World, node| world.slow_down(node, slowness);
        during(&mut script, time, lasts, victim.episode(slow, World::speed_up));
        time += lasts + between(rng, 100, 800);
    }
    script
}
