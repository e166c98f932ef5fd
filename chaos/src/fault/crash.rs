//! A process dies at once. Its memory is gone; what it wrote, the operating system still writes.

use super::{Fault, Victim};
use crate::world::{World, host_name};

pub(super) const FAULT: Fault = Fault {
    name: "crash",
    lasts_ms: (5, 1_500),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::crash, World::restart),
};

impl World {
    /// Stops a node's process at once; its connections close, and new ones are refused.
    pub fn crash(&mut self, node: u64) {
        if self.hosts.get(&node).is_some_and(|host| host.is_running()) {
            self.end_process(node);
            self.note(format!("crash {node}"));
        }
    }

    /// Ends a process, and closes its connections as its machine's operating system does.
    pub(crate) fn end_process(&mut self, node: u64) {
        if let Some(host) = self.hosts.get_mut(&node) {
            host.stop(u64::MAX);
            self.sim.crash(host_name(node));
            self.sim.bounce(host_name(node));
        }
    }

    /// Starts a node that does not run, unless it has left its cluster for good.
    pub fn restart(&mut self, node: u64) {
        if let Some(host) = self.hosts.get_mut(&node).filter(|host| !host.is_running() && !host.has_left()) {
            if !host.is_on() {
                self.sim.bounce(host_name(node));
            }
            host.start();
            self.note(format!("restart {node}"));
        }
    }
}
