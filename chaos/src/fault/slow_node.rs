//! A node is slow in all it does: it sends late, its process runs rarely, its disk syncs slowly. What it is sent
//! arrives as ever.

use super::{Fault, Victim, within};
use crate::world::World;
use predis_types::SplitMix64;
use std::time::Duration;

pub(super) const FAULT: Fault = Fault {
    name: "slow-node",
    lasts_ms: (500, 4_000),
    draw: |rng, nodes| {
        let slowness = Slowness::draw(rng);
        Victim::draw(rng, nodes)
            .episode(move |world, node| world.slow_down(node, slowness), |world, node| world.speed_up(node))
    },
};

/// How slow a node is.
#[derive(Clone, Copy, Debug)]
pub struct Slowness {
    /// How late it sends.
    pub late: Duration,
    /// Its process runs every so many milliseconds only.
    pub runs_every_ms: u64,
    /// How much longer a sync takes.
    pub sync: Duration,
}

impl Slowness {
    /// Anything from noticeable to hardly alive.
    pub fn draw(rng: &mut SplitMix64) -> Slowness {
        Slowness {
            late: Duration::from_millis(within(rng, 0..=120)),
            runs_every_ms: within(rng, 1..=60),
            sync: Duration::from_millis(within(rng, 0..=200)),
        }
    }
}

impl World {
    /// Makes a node slow.
    pub fn slow_down(&mut self, node: u64, slowness: Slowness) {
        if let Some(host) = self.hosts.get_mut(&node) {
            host.set_slowness(slowness.late, slowness.runs_every_ms, slowness.sync);
            self.note(format!("slow-node {node} {slowness:?}"));
        }
    }

    /// Makes it as quick as it was.
    pub fn speed_up(&mut self, node: u64) {
        if let Some(host) = self.hosts.get_mut(&node) {
            host.set_slowness(Duration::ZERO, 1, Duration::ZERO);
        }
    }
}
