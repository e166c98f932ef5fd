//! One node is cut off from the others, the leader as likely as not, and comes back.

use super::{Scenario, Script, THREE, between, during};
use crate::{fault::Victim, world::World};
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "partition-and-heal",
    about: "a node is cut off and comes back",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let victim = if rng.below(2) == 0 { Victim::leader() } else { Victim::draw(rng, nodes) };
        let cut = between(rng, 200, 2_500);
        during(&mut script, time, cut, victim.episode(World::isolate, World::rejoin));
        time += cut + between(rng, 100, 1_000);
    }
    script
}
