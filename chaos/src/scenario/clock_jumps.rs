//! Wall clocks jump, within what they may differ by, while a node fails now and then.

use super::{Scenario, Script, THREE, between, during};
use crate::{
    fault::{self, Victim},
    world::World,
};
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario =
    Scenario { name: "clock-jumps", about: "wall clocks jump", nodes: THREE, excuses: &[], script };

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..4 {
        let (lasts, jump) = fault::CLOCK_JUMP.episode(rng, nodes);
        during(&mut script, time, lasts, jump);
        time += between(rng, 100, 900);
    }
    if rng.below(2) == 0 {
        let (from, lasts) = (between(rng, 1_000, 2_500), between(rng, 50, 1_500));
        during(&mut script, from, lasts, Victim::draw(rng, nodes).episode(World::crash, World::restart));
    }
    script
}
