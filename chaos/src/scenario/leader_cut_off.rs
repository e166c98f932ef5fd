//! The leader is cut off for about as long as a lease lasts, too short for another to be elected, and comes back.
//!
//! It has heard nobody in that time; that must not be held against the others.

use super::{Scenario, Script, at, between};
use crate::world::World;
use predis_types::SplitMix64;
use std::{cell::Cell, rc::Rc};

pub(super) const SCENARIO: Scenario =
    Scenario { name: "leader-cut-off", about: "the leader is cut off for about a lease", script };

fn script(rng: &mut SplitMix64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let victim = Rc::new(Cell::new(None));
        let cut = victim.clone();
        script.push(at(time, move |world: &mut World| {
            cut.set(world.leader());
            if let Some(leader) = cut.get() {
                world.isolate(leader);
            }
        }));
        time += between(rng, 800, 2_000);
        script.push(at(time, move |world: &mut World| {
            if let Some(leader) = victim.get() {
                world.rejoin(leader);
            }
        }));
        time += between(rng, 400, 1_200);
    }
    script
}
