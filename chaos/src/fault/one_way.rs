//! Messages get through in one direction only: a node is heard and does not hear, or the reverse.

use super::{Fault, Victim};
use crate::world::{Cut, World, host_name};
use predis_types::Rng;

pub(super) const FAULT: Fault = Fault {
    name: "one-way",
    lasts_ms: (100, 3_000),
    draw: |rng, nodes| {
        let deaf = rng.below(2) == 0;
        Victim::draw(rng, nodes).episode(move |world, node| world.deafen(node, deaf), World::rejoin)
    },
};

impl World {
    /// Cuts the link from one node to another; the way back stays.
    pub fn partition_oneway(&mut self, from: u64, to: u64) {
        self.note(format!("one-way {from} {to}"));
        let (from, to) = (host_name(from), host_name(to));
        self.links.cut(&from, &to, Cut::From(true));
        self.sim.partition_oneway(from, to);
    }

    /// Makes a node deaf to all others, or else dumb.
    pub fn deafen(&mut self, node: u64, deaf: bool) {
        for other in self.others(node) {
            let (from, to) = if deaf { (other, node) } else { (node, other) };
            self.partition_oneway(from, to);
        }
    }
}
