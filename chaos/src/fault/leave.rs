//! A node is told to leave. It gives away what it has, and its process ends.

use super::{Fault, Victim};
use crate::world::World;
use predis_meta::{Action, Mode};

/// So many nodes stay whatever happens.
const FEWEST: usize = 3;

pub(super) const FAULT: Fault = Fault {
    name: "leave",
    lasts_ms: (1, 1),
    draw: |rng, nodes| Victim::draw(rng, nodes).episode(World::leave, |_, _| {}),
};

impl World {
    /// Tells a node to leave, unless too few would stay.
    pub fn leave(&mut self, node: u64) {
        let staying = self.hosts.values().filter(|host| !host.has_left() && !host.is_leaving()).count();
        let Some(host) = self.hosts.get_mut(&node).filter(|host| !host.has_left()) else { return };
        let Some(id) = host.id().filter(|_| staying > FEWEST) else { return };
        host.set_leaving();
        self.note(format!("leave {node}"));
        self.operate(Action::SetMode { node: id, mode: Mode::Leaving });
    }
}
