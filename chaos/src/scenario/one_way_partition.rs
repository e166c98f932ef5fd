//! Messages from a node reach the others and theirs do not reach it, or the other way round.

use super::{Scenario, Script, THREE, any_node, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "one-way-partition",
    about: "a node is heard but does not hear, or the reverse",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let (node, deaf) = (any_node(rng, nodes), rng.below(2) == 0);
        script.push(at(time, move |world: &mut World| world.deafen(node, deaf)));
        time += between(rng, 200, 2_500);
        script.push(at(time, move |world: &mut World| world.rejoin(node)));
        time += between(rng, 100, 1_000);
    }
    script
}
