//! Messages of a node's links take long, all alike or each its own time.

use super::{Fault, Victim, within};
use crate::world::{LATENCY, World, host_name};
use predis_types::Rng;
use std::time::Duration;

pub(super) const FAULT: Fault = Fault {
    name: "delay",
    lasts_ms: (300, 3_000),
    draw: |rng, nodes| {
        let latency = Duration::from_millis(within(rng, 10..=150));
        let alike = rng.below(2) == 0;
        Victim::draw(rng, nodes)
            .episode(move |world, node| world.delay_node(node, latency, alike), World::hasten_node)
    },
};

impl World {
    /// Makes every message between two nodes take this long.
    pub fn delay(&mut self, a: u64, b: u64, latency: Duration) {
        self.note(format!("delay {a} {b} {latency:?}"));
        self.sim.set_link_latency(host_name(a), host_name(b), latency);
    }

    /// Makes messages between two nodes take anything up to this long; most take less.
    pub fn jitter(&mut self, a: u64, b: u64, most: Duration) {
        self.note(format!("delay {a} {b} up to {most:?}"));
        self.sim.set_link_latency(host_name(a), host_name(b), LATENCY.0);
        self.sim.set_link_max_message_latency(host_name(a), host_name(b), most);
    }

    /// Makes messages between two nodes as quick as they were.
    pub fn hasten(&mut self, a: u64, b: u64) {
        self.sim.set_link_latency(host_name(a), host_name(b), LATENCY.0);
        self.sim.set_link_max_message_latency(host_name(a), host_name(b), LATENCY.1);
    }

    fn delay_node(&mut self, node: u64, latency: Duration, alike: bool) {
        for other in self.others(node) {
            if alike { self.delay(node, other, latency) } else { self.jitter(node, other, 2 * latency) }
        }
    }

    /// Makes messages between a node and all others as quick as they were.
    pub fn hasten_node(&mut self, node: u64) {
        for other in self.others(node) {
            self.hasten(node, other);
        }
    }
}
