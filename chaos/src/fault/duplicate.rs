//! Calls between nodes arrive twice, the second time much later: answers to the second are ignored.

use super::{Fault, calls, within};
use crate::world::{Odds, World};

pub(super) const FAULT: Fault = Fault {
    name: "duplicate",
    lasts_ms: (500, 4_000),
    draw: |rng, _| calls(Odds { twice: within(rng, 20..=300), ..Odds::default() }),
};

impl World {
    /// Sets what becomes of the calls of all nodes.
    pub fn set_odds(&mut self, odds: Odds) {
        self.hosts.values().for_each(|host| host.set_odds(odds));
    }
}
