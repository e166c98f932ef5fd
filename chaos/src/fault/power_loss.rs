//! A machine loses its power: its process, and of what its disk had not synced all but a random beginning. Nobody is
//! told; its connections are just silent.

use super::{Fault, Victim};
use crate::world::{Cut, World, host_name};
use predis_types::Rng;

pub(super) const FAULT: Fault = Fault {
    name: "power-loss",
    lasts_ms: (5, 1_500),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::lose_power, World::restart),
};

impl World {
    /// Switches a machine off.
    pub fn lose_power(&mut self, node: u64) {
        let Some(host) = self.hosts.get_mut(&node).filter(|host| host.is_running()) else { return };
        let unsynced = host.disk().unsynced() as u64;
        let kept = self.rng.below(unsynced + 1);
        host.stop(kept);
        self.unplug(node);
        self.note(format!("power-loss {node} keeps {kept} of {unsynced} unsynced writes"));
        if kept < unsynced {
            self.note(format!("torn-write {node} loses {}", unsynced - kept));
        }
    }

    /// Ends what turmoil runs on a machine without a word to the others, and leaves their links as they were.
    fn unplug(&mut self, node: u64) {
        let (name, others) = (host_name(node), self.other_names(node));
        for other in &others {
            self.sim.partition(name.as_str(), other.as_str());
        }
        self.sim.crash(name.as_str());
        for other in &others {
            match self.links.of(&name, other) {
                Some(Cut::Both) => {}
                Some(Cut::From(first)) => {
                    let (from, to) = if first { (&name, other) } else { (other, &name) };
                    self.sim.repair_oneway(to.as_str(), from.as_str());
                }
                Some(Cut::Held) => self.sim.hold(name.as_str(), other.as_str()),
                None => self.sim.repair(name.as_str(), other.as_str()),
            }
        }
    }
}
