//! The link between two nodes, or all links of one, are cut and mended again and again.

use super::{Scenario, Script, THREE, any_node, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "flapping-link",
    about: "links are cut and mended again and again",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    let end = time + between(rng, 1_500, 3_000);
    let (node, whole) = (any_node(rng, nodes), rng.below(2) == 0);
    let other = 1 + node % nodes;
    while time < end {
        script.push(at(
            time,
            move |world: &mut World| {
                if whole { world.flap_off(node) } else { world.flap_cut(node, other) }
            },
        ));
        time += between(rng, 20, 500);
        script.push(at(
            time,
            move |world: &mut World| {
                if whole { world.rejoin(node) } else { world.mend(node, other) }
            },
        ));
        time += between(rng, 20, 500);
    }
    script
}
