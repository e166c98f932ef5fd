//! Syncs of a disk take long.

use super::{Fault, Victim, within};
use crate::world::World;
use std::time::Duration;

pub(super) const FAULT: Fault = Fault {
    name: "slow-disk",
    lasts_ms: (300, 3_000),
    draw: |rng, nodes| {
        let more = Duration::from_millis(within(rng, 10..=500));
        Victim::draw(rng, nodes)
            .episode(move |world, node| world.slow_disk(node, more), |world, node| world.quick_disk(node))
    },
};

impl World {
    /// Makes syncs of a node's disk take so much longer.
    pub fn slow_disk(&mut self, node: u64, more: Duration) {
        if let Some(host) = self.hosts.get(&node) {
            host.slow_disk(more);
            self.note(format!("slow-disk {node} {more:?}"));
        }
    }

    /// Makes them as quick as they were.
    pub fn quick_disk(&mut self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            host.slow_disk(Duration::ZERO);
        }
    }
}
