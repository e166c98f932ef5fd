//! A node is killed and is back before its lease would have run out, so that nobody missed it.
//!
//! Its memory is gone: only its new incarnation says so.

use super::{Scenario, Script, THREE, any_node, at, between};
use crate::world::World;
use predis_types::SplitMix64;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "back-within-lease",
    about: "a node is killed and back within its lease",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..3 {
        let node = any_node(rng, nodes);
        script.push(at(time, move |world: &mut World| world.crash(node)));
        time += between(rng, 5, 400);
        script.push(at(time, move |world: &mut World| world.restart(node)));
        time += between(rng, 600, 1_200);
    }
    script
}
