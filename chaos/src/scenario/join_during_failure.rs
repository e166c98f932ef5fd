//! A fourth node joins while another one is down or cut off.

use super::{Scenario, Script, THREE, any_node, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "join-during-failure",
    about: "a node joins while another one fails",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let (victim, cut) = (any_node(rng, nodes), rng.below(2) == 0);
    let fails = between(rng, 1_000, 2_000);
    let joins = fails + between(rng, 0, 1_200);
    let returns = joins + between(rng, 0, 2_000);
    let fail = move |world: &mut World| if cut { world.isolate(victim) } else { world.crash(victim) };
    let mend = move |world: &mut World| if cut { world.rejoin(victim) } else { world.restart(victim) };
    vec![at(fails, fail), at(joins, World::join), at(returns, mend)]
}
