//! A node's share of the partitions changes.

use super::{Fault, Victim, within};
use crate::world::World;
use predis_meta::Action;

pub(super) const FAULT: Fault = Fault {
    name: "weight",
    lasts_ms: (300, 4_000),
    draw: |rng, nodes| {
        let (now, then) = (within(rng, 1..=400) as u32, within(rng, 50..=200) as u32);
        Victim::draw(rng, nodes)
            .episode(move |world, node| world.weigh(node, now), move |world, node| world.weigh(node, then))
    },
};

impl World {
    /// Sets a node's weight.
    pub fn weigh(&mut self, node: u64, weight: u32) {
        if let Some(id) = self.hosts.get(&node).and_then(|host| host.id()) {
            self.note(format!("weight {node} {weight}"));
            self.operate(Action::SetWeight { node: id, weight });
        }
    }
}
