//! A node's link to the leader grows slow, so that answers arrive long after they were given; then it is cut.
//!
//! Where a lease begins decides here whether two nodes serve at once.

use super::{Scenario, Script, THREE, any_node, at, between};
use crate::world::World;
use predis_types::SplitMix64;
use std::time::Duration;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "slow-then-cut",
    about: "a node's links grow slow, then are cut",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 1_800);
    for _ in 0..2 {
        let node = any_node(rng, nodes);
        let latency = between(rng, 80, 115);
        script.push(at(time, move |world: &mut World| {
            world.others(node).into_iter().for_each(|other| world.delay(node, other, latency));
        }));
        time += between(rng, 600, 1_200);
        script.push(at(time, move |world: &mut World| world.isolate(node)));
        time += between(rng, 1_200, 1_800);
        script.push(at(time, move |world: &mut World| {
            world.rejoin(node);
            world.hasten_node(node);
        }));
        time += Duration::from_millis(500);
    }
    script
}
