//! A node is cut off from all others; clients still reach it.

use super::{Fault, Victim};
use crate::world::{Cut, World, host_name};

pub(super) const FAULT: Fault = Fault {
    name: "partition",
    lasts_ms: (100, 3_000),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::isolate, World::rejoin),
};

impl World {
    /// Cuts the links between two nodes, both ways; what is on its way is lost.
    pub fn partition(&mut self, a: u64, b: u64) {
        self.note(format!("partition {a} {b}"));
        let (a, b) = (host_name(a), host_name(b));
        self.links.cut(&a, &b, Cut::Both);
        self.sim.partition(a, b);
    }

    /// Mends the links between two nodes, both ways; what was held on them arrives.
    pub fn mend(&mut self, a: u64, b: u64) {
        let (a, b) = (host_name(a), host_name(b));
        self.links.mended(&a, &b);
        self.sim.release(a, b);
    }

    /// Cuts a node off from all others.
    pub fn isolate(&mut self, node: u64) {
        for other in self.others(node) {
            self.partition(node, other);
        }
    }

    /// Mends all links of a node.
    pub fn rejoin(&mut self, node: u64) {
        for other in self.others(node) {
            self.mend(node, other);
        }
    }
}
