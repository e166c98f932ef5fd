//! Links break and mend at random for a while.

use super::{Scenario, Script, THREE, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lossy-network",
    about: "links break and mend at random",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, _: u64) -> Script {
    let from = between(rng, 800, 1_500);
    let to = from + between(rng, 1_000, 4_000);
    let loss = 0.001 + rng.below(15) as f64 / 1_000.0;
    vec![
        at(from, move |world: &mut World| world.drop_messages(loss)),
        at(to, move |world: &mut World| world.drop_messages(0.0)),
    ]
}
