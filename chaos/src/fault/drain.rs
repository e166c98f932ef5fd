//! A node is drained: it gives its partitions away and stays a member, until it is told to take some again.

use super::{Fault, Victim};
use crate::world::World;
use predis_meta::{Action, Mode};

pub(super) const FAULT: Fault = Fault {
    name: "drain",
    lasts_ms: (300, 4_000),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::drain, World::undrain),
};

impl World {
    /// Drains a node.
    pub fn drain(&mut self, node: u64) {
        self.note(format!("drain {node}"));
        self.set_mode(node, Mode::Draining);
    }

    /// Calls that off.
    pub fn undrain(&mut self, node: u64) {
        self.set_mode(node, Mode::Active);
    }

    fn set_mode(&mut self, node: u64, mode: Mode) {
        let host = self.hosts.get(&node).filter(|host| !host.is_leaving());
        if let Some(id) = host.and_then(|host| host.id()) {
            self.operate(Action::SetMode { node: id, mode });
        }
    }
}
