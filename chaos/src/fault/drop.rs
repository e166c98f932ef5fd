//! Messages get lost at random. TCP here never sends anything twice, so a connection that lost one stands still.

use super::{Episode, Fault, within};
use crate::world::{World, host_name};

pub(super) const FAULT: Fault = Fault {
    name: "drop",
    lasts_ms: (500, 4_000),
    draw: |rng, _| {
        let loss = within(rng, 1..=15) as f64 / 1_000.0;
        Episode {
            begin: Box::new(move |world| world.drop_messages(loss)),
            end: Box::new(|world| world.drop_messages(0.0)),
        }
    },
};

impl World {
    /// Loses this share of the messages between nodes, with all that is on the link just then.
    pub fn drop_messages(&mut self, loss: f64) {
        if loss > 0.0 {
            self.note(format!("drop {loss}"));
        }
        for (a, b) in self.pairs() {
            self.sim.set_link_fail_rate(host_name(a), host_name(b), loss);
            if loss == 0.0 && self.links.of(&host_name(a), &host_name(b)).is_none() {
                self.mend(a, b);
            }
        }
    }

    /// Every two nodes.
    pub(crate) fn pairs(&self) -> Vec<(u64, u64)> {
        let nodes: Vec<u64> = self.hosts.keys().copied().collect();
        nodes.iter().flat_map(|a| nodes.iter().filter(move |b| a < *b).map(move |b| (*a, *b))).collect()
    }
}
