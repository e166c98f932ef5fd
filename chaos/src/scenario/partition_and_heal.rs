//! One node is cut off from the others, the leader as likely as not, and comes back.

use super::{Scenario, Script, any_node, at, between};
use crate::world::World;
use predis_types::{Rng, SplitMix64};
use std::{cell::Cell, rc::Rc};

pub(super) const SCENARIO: Scenario =
    Scenario { name: "partition-and-heal", about: "a node is cut off and comes back", script };

fn script(rng: &mut SplitMix64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let (any, leader) = (any_node(rng), rng.below(2) == 0);
        let victim = Rc::new(Cell::new(any));
        let cut = victim.clone();
        script.push(at(time, move |world: &mut World| {
            if leader {
                cut.set(world.leader().unwrap_or(any));
            }
            world.isolate(cut.get());
        }));
        time += between(rng, 200, 2_500);
        script.push(at(time, move |world: &mut World| world.rejoin(victim.get())));
        time += between(rng, 100, 1_000);
    }
    script
}
