//! Nodes join and leave a cluster of five while other things go wrong.

use super::{FIVE, Scenario, Script, between, during, scatter};
use crate::fault;
use predis_types::SplitMix64;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "join-and-leave-under-faults",
    about: "nodes join and leave while others fail",
    nodes: FIVE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_500, 2_200);
    for change in [fault::JOIN, fault::LEAVE, fault::LEAVE] {
        let (lasts, episode) = change.episode(rng, nodes);
        during(&mut script, time, lasts, episode);
        time += between(rng, 200, 1_500);
    }
    scatter(&mut script, rng, (&fault::passing(), nodes), 2, (1_500, 4_000));
    script
}
