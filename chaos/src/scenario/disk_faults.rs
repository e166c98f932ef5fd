//! Disks fail: syncs fail or are slow, there is no space, and the power goes in the middle of it.

use super::{Scenario, Script, THREE, any, between, during};
use crate::{fault::Victim, world::World};
use predis_types::SplitMix64;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "disk-faults",
    about: "syncs fail or are slow, disks are full, power goes",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..4 {
        let lasts = between(rng, 50, 1_500);
        let victim = Victim::draw(rng, nodes);
        let more = between(rng, 5, 400);
        let episode = match any(rng, &["sync", "full", "slow", "power"]) {
            "sync" => victim.episode(World::fail_sync, |_, _| {}),
            "full" => victim.episode(World::fill_disk, World::clear_disk),
            "slow" => victim.episode(move |world, node| world.slow_disk(node, more), World::quick_disk),
            _ => victim.episode(World::lose_power, World::restart),
        };
        during(&mut script, time, lasts, episode);
        time += between(rng, 100, 1_000);
    }
    script
}
