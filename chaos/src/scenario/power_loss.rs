//! The power fails: one machine, two, or all at once, and what was not synced is gone.

use super::{Scenario, Script, THREE, any_node, at, between, numbers};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "power-loss",
    about: "machines lose power and what they had not synced",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let (first, count) = (any_node(rng, nodes), 1 + rng.below(nodes));
        // From one of them on and round again.
        let victims = move || (first..=nodes).chain(numbers(first - 1)).take(count as usize);
        script.push(at(time, move |world: &mut World| victims().for_each(|node| world.lose_power(node))));
        time += between(rng, 10, 1_200);
        script.push(at(time, move |world: &mut World| victims().for_each(|node| world.restart(node))));
        time += between(rng, 500, 1_500);
    }
    script
}
