//! The power fails: one machine, two, or all at once, and what was not synced is gone.

use super::{NODES, Scenario, Script, any_node, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario =
    Scenario { name: "power-loss", about: "machines lose power and what they had not synced", script };

fn script(rng: &mut SplitMix64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let (first, count) = (any_node(rng), 1 + rng.below(3));
        let victims = move || NODES.cycle_from(first).take(count as usize);
        script.push(at(time, move |world: &mut World| victims().for_each(|node| world.crash(node, true))));
        time += between(rng, 10, 1_200);
        script.push(at(time, move |world: &mut World| victims().for_each(|node| world.restart(node))));
        time += between(rng, 500, 1_500);
    }
    script
}

/// The nodes, from one of them on and round again.
trait CycleFrom {
    fn cycle_from(self, first: u64) -> impl Iterator<Item = u64>;
}

impl CycleFrom for std::ops::RangeInclusive<u64> {
    fn cycle_from(self, first: u64) -> impl Iterator<Item = u64> {
        (first..=*self.end()).chain(*self.start()..first)
    }
}
