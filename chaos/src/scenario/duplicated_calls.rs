//! Calls between nodes arrive twice, late, in another order, or are never answered; now and then a node fails as well.

use super::{Scenario, Script, THREE, at, between, during};
use crate::{
    fault::Victim,
    world::{Odds, World},
};
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "duplicated-calls",
    about: "calls arrive twice, late, out of order, or are not answered",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let from = between(rng, 500, 1_500);
    let to = from + between(rng, 2_000, 4_000);
    let odds = Odds { twice: rng.below(300), late: rng.below(200), unanswered: rng.below(30) };
    script.push(at(from, move |world: &mut World| world.set_odds(odds)));
    script.push(at(to, |world: &mut World| world.set_odds(Odds::default())));
    if rng.below(2) == 0 {
        // Calls to whoever led before reach somebody who does no more.
        let (time, lasts) = (from + between(rng, 200, 1_000), between(rng, 100, 1_500));
        let victim = Victim::draw(rng, nodes);
        let cut = rng.below(2) == 0;
        let episode = if cut {
            victim.episode(World::isolate, World::rejoin)
        } else {
            victim.episode(World::crash, World::restart)
        };
        during(&mut script, time, lasts, episode);
    }
    script
}
