//! A process stands still, as after SIGSTOP, while its clock and the world run on; then it goes on where it was, and
//! all its timers are late at once.

use super::{Fault, Victim};
use crate::world::World;

pub(super) const FAULT: Fault = Fault {
    name: "pause",
    lasts_ms: (200, 4_000),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::pause, World::resume),
};

impl World {
    /// Stops a node's process where it is.
    pub fn pause(&mut self, node: u64) {
        if let Some(host) = self.hosts.get_mut(&node).filter(|host| host.is_running() && !host.is_paused()) {
            host.set_paused(true);
            self.note(format!("pause {node}"));
        }
    }

    /// Lets it go on.
    pub fn resume(&mut self, node: u64) {
        if let Some(host) = self.hosts.get_mut(&node) {
            host.set_paused(false);
        }
    }
}
