//! Wall clocks jump far beyond what they may differ by, one or all, forwards or back. Times to live go wrong then;
//! nothing else may.

use super::{Scenario, Script, THREE, any_node, at, between, during};
use crate::{fault::Victim, world::World};
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "clocks-far-off",
    about: "wall clocks jump by seconds to an hour",
    nodes: THREE,
    // Nothing keeps a node whose clock is wrong by more than is allowed from expiring keys by it.
    excuses: &["expiry"],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..3 {
        let (off, lasts) = (far(rng), between(rng, 200, 1_500));
        if rng.below(3) == 0 {
            // As when a time service is wrong.
            script.push(at(time, move |world: &mut World| world.set_wall_clocks(off)));
            script.push(at(time + lasts, |world: &mut World| world.set_wall_clocks(0)));
        } else {
            let jump = move |world: &mut World, node| world.set_wall_clock(node, off);
            let victim = Victim::draw(rng, nodes);
            during(
                &mut script,
                time,
                lasts,
                victim.episode(jump, |world, node| world.set_wall_clock(node, 0)),
            );
        }
        time += between(rng, 100, 1_200);
    }
    let from = between(rng, 1_000, 2_500);
    if rng.below(2) == 0 {
        let lasts = between(rng, 50, 1_500);
        during(&mut script, from, lasts, Victim::draw(rng, nodes).episode(World::crash, World::restart));
    } else {
        // A node that reaches nobody has only its own clocks to tell it when its lease is over.
        let (node, back, lasts) = (any_node(rng, nodes), far(rng), between(rng, 1_500, 3_000));
        script.push(at(from, move |world: &mut World| world.isolate(node)));
        let back = move |world: &mut World| world.set_wall_clock(node, -back.abs());
        script.push(at(from + between(rng, 50, 400), back));
        script.push(at(from + lasts, move |world: &mut World| {
            world.rejoin(node);
            world.set_wall_clock(node, 0);
        }));
    }
    script
}

/// A second to an hour, either way, in milliseconds.
fn far(rng: &mut SplitMix64) -> i64 {
    let most = if rng.below(2) == 0 { 10_000 } else { 3_600_000 };
    let by = 1_000 + rng.below(most) as i64;
    if rng.below(2) == 0 { by } else { -by }
}
