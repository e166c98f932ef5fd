//! A node is drained, and then wanted again, while other things go wrong.

use super::{FIVE, Scenario, Script, between, during, scatter};
use crate::fault;
use predis_types::SplitMix64;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "drain-under-faults",
    about: "a node is drained while others fail",
    nodes: FIVE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_500, 2_200);
    for _ in 0..2 {
        let (lasts, episode) = fault::DRAIN.episode(rng, nodes);
        during(&mut script, time, lasts, episode);
        time += between(rng, 500, 2_000);
    }
    scatter(&mut script, rng, (&fault::passing(), nodes), 2, (1_500, 4_000));
    script
}
