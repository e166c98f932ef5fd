//! Anything at all, one after the other and several at once.

use super::{FIVE, Scenario, Script, scatter};
use crate::fault;
use predis_types::{Rng, SplitMix64};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "everything",
    about: "anything at all, several at once",
    nodes: FIVE,
    excuses: &[],
    script,
};

fn script(rng: &mut SplitMix64, nodes: u64) -> Script {
    let mut script = Script::new();
    let count = 4 + rng.below(8);
    scatter(&mut script, rng, (fault::ALL, nodes), count, (1_000, 6_000));
    script
}
