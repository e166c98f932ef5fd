//! A node stands still for one to sixty seconds, mostly a primary, and goes on where it was.
//!
//! Long enough to be judged, to lose its vote, and to be sure of what is no longer so.

use super::{Scenario, Script, THREE, between, during};
use crate::{fault::Victim, world::World};
use predis_types::{Rng, SplitMix64};
use std::time::Duration;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "pause-primary",
    about: "a node stands still and goes on",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let time = between(rng, 1_000, 2_000);
    let victim = if rng.below(3) == 0 { Victim::draw(rng, nodes) } else { Victim::primary(rng) };
    during(&mut script, time, pause(rng), victim.episode(World::pause, World::resume));
    script
}

/// One to sixty seconds; the short ones, about the length of a lease or two, as likely as all of the long ones.
fn pause(rng: &mut SplitMix64) -> Duration {
    match rng.below(4) {
        0 | 1 => between(rng, 1_000, 3_000),
        2 => between(rng, 3_000, 12_000),
        _ => between(rng, 12_000, 60_000),
    }
}
