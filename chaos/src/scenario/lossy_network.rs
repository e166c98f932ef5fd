//! Links break and mend at random for a while.

use super::{NODES, Scenario, Script, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario =
    Scenario { name: "lossy-network", about: "links break and mend at random", script };

fn script(rng: &mut SplitMix64) -> Script {
    let from = between(rng, 800, 1_500);
    let to = from + between(rng, 1_000, 4_000);
    let fail_rate = 0.001 + rng.below(15) as f64 / 1_000.0;
    let pairs = || NODES.flat_map(|a| NODES.filter(move |b| a < *b).map(move |b| (a, b)));
    vec![
        at(from, move |world: &mut World| pairs().for_each(|(a, b)| world.lossy(a, b, fail_rate))),
        at(to, move |world: &mut World| {
            for (a, b) in pairs() {
                world.lossy(a, b, 0.0);
                world.repair(a, b);
            }
        }),
    ]
}
