//! Weights change, so that partitions want to be elsewhere, while other things go wrong.

use super::{Scenario, Script, THREE, between, during, scatter};
use crate::fault;
use predis_types::SplitMix64;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "weights-change",
    about: "weights change while others fail",
    nodes: THREE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let mut time = between(rng, 1_000, 2_000);
    for _ in 0..3 {
        let (lasts, episode) = fault::WEIGHT.episode(rng, nodes);
        during(&mut script, time, lasts, episode);
        time += between(rng, 300, 1_200);
    }
    scatter(&mut script, rng, (&fault::passing(), nodes), 1, (1_500, 4_000));
    script
}
