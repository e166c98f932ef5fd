//! The leader's process dies and comes back, twice.

use super::{Scenario, Script, at, between};
use crate::world::World;
use predis_types::SplitMix64;
use std::{cell::Cell, rc::Rc, time::Duration};

pub(super) const SCENARIO: Scenario =
    Scenario { name: "leader-crash", about: "the leader crashes and restarts, twice", script };

fn script(rng: &mut SplitMix64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..2 {
        let victim = Rc::new(Cell::new(None));
        let crashed = victim.clone();
        script.push(at(time, move |world: &mut World| {
            crashed.set(world.leader());
            if let Some(leader) = crashed.get() {
                world.crash(leader, false);
            }
        }));
        time += between(rng, 10, 1_500);
        script.push(at(time, move |world: &mut World| {
            if let Some(leader) = victim.get() {
                world.restart(leader);
            }
        }));
        time += Duration::from_millis(700);
    }
    script
}
