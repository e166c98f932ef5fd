//! A node joins.

use super::{Episode, Fault};
use crate::{
    scenario::PARTITIONS,
    world::{HostSpec, World},
};

pub(super) const FAULT: Fault = Fault {
    name: "join",
    lasts_ms: (1, 1),
    draw: |_, _| Episode { begin: Box::new(World::join), end: Box::new(|_| {}) },
};

impl World {
    /// Starts a new node that joins through any of the others.
    pub fn join(&mut self) {
        let node = self.next_node();
        let join: Vec<u64> =
            self.hosts.values().filter(|host| !host.has_left()).map(|host| host.node()).collect();
        self.note(format!("join {node}"));
        self.add_node(HostSpec { node, join, partitions: PARTITIONS });
    }
}
