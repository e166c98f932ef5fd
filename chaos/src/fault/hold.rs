//! Messages are held back for a while, both ways, and then arrive all at once: nothing is lost, everything is late.

use super::{Fault, Victim};
use crate::world::{Cut, World, host_name};

pub(super) const FAULT: Fault = Fault {
    name: "hold",
    lasts_ms: (50, 2_500),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::hold_node, World::release_node),
};

impl World {
    /// Holds back what two nodes send each other.
    pub fn hold(&mut self, a: u64, b: u64) {
        self.note(format!("hold {a} {b}"));
        let (a, b) = (host_name(a), host_name(b));
        self.links.cut(&a, &b, Cut::Held);
        self.sim.hold(a, b);
    }

    /// Lets what was held back between two nodes arrive.
    pub fn release(&mut self, a: u64, b: u64) {
        self.note(format!("release {a} {b}"));
        self.mend(a, b);
    }

    /// Holds back all that a node and the others send each other.
    pub fn hold_node(&mut self, node: u64) {
        for other in self.others(node) {
            self.hold(node, other);
        }
    }

    /// Lets all that was held back arrive.
    pub fn release_node(&mut self, node: u64) {
        for other in self.others(node) {
            self.release(node, other);
        }
    }
}
