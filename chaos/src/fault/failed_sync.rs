//! A sync fails, and of what it should have made durable some is and some is lost. The node must stop, and is started
//! again by its service manager.

use super::{Fault, Victim};
use crate::world::World;
use predis_types::Rng;

pub(super) const FAULT: Fault = Fault {
    name: "failed-sync",
    lasts_ms: (1, 1),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::fail_sync, |_, _| {}),
};

impl World {
    /// Makes the next sync of a node's disk fail.
    pub fn fail_sync(&mut self, node: u64) {
        let kept = self.rng.below(4) as usize;
        if let Some(host) = self.hosts.get(&node).filter(|host| host.is_running()) {
            host.disk().fail_sync(Some(kept));
            self.note(format!("failed-sync {node} keeps up to {kept}"));
        }
    }

    /// Lets the next sync be, if it has not come yet.
    pub(crate) fn spare_sync(&mut self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            host.disk().fail_sync(None);
        }
    }
}
