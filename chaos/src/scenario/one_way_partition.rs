//! Messages from a node reach the others and theirs do not reach it, or the other way round.

use super::{NODES, Scenario, Script, any_node, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "one-way-partition",
    about: "a node is heard but does not hear, or the reverse",
    script,
};

fn script(rng: &mut SplitMix64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let (node, deaf) = (any_node(rng), rng.below(2) == 0);
        script.push(at(time, move |world: &mut World| {
            for other in NODES.filter(|other| *other != node) {
                let (from, to) = if deaf { (other, node) } else { (node, other) };
                world.partition_oneway(from, to);
            }
        }));
        time += between(rng, 200, 2_500);
        script.push(at(time, move |world: &mut World| world.rejoin(node)));
        time += between(rng, 100, 1_000);
    }
    script
}
