//! A disk has no space left for a while. The node stops, as often as it is started again, until there is some.

use super::{Fault, Victim};
use crate::world::World;

pub(super) const FAULT: Fault = Fault {
    name: "disk-full",
    lasts_ms: (100, 2_000),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::fill_disk, World::clear_disk),
};

impl World {
    /// Leaves no space on a node's disk.
    pub fn fill_disk(&mut self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            host.disk().fill(true);
            self.note(format!("disk-full {node}"));
        }
    }

    /// Gives it back.
    pub fn clear_disk(&mut self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            host.disk().fill(false);
        }
    }
}
