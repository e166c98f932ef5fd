//! What nodes send each other is held back for a while and then arrives all at once, long after it was true.

use super::{Scenario, Script, THREE, any_node, at, between, during};
use crate::{fault::Victim, world::World};
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "held-messages",
    about: "messages are held back, then arrive all at once",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..3 {
        let held = between(rng, 50, 1_600);
        if rng.below(2) == 0 {
            let victim = Victim::draw(rng, nodes);
            during(&mut script, time, held, victim.episode(World::hold_node, World::release_node));
        } else {
            let a = any_node(rng, nodes);
            let b = 1 + a % nodes;
            script.push(at(time, move |world: &mut World| world.hold(a, b)));
            script.push(at(time + held, move |world: &mut World| world.release(a, b)));
        }
        time += held + between(rng, 100, 700);
    }
    script
}
