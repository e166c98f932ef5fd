//! A wall clock jumps, forwards or back. The monotonic clock knows nothing of it.
//!
//! The fault that scenarios draw is within what clocks may differ by: a node whose clock is wrong by more expires keys
//! too early or too late, and nothing keeps it from that. Jumps beyond are counted apart.

use super::{Fault, Victim};
use crate::world::World;
use predis_types::Rng;

/// Half of what two wall clocks may differ by, in milliseconds.
const ALLOWED_MS: u64 = 250;

pub(super) const FAULT: Fault = Fault {
    name: "clock-jump",
    lasts_ms: (100, 4_000),
    draw: |rng, nodes| {
        let by = rng.below(ALLOWED_MS) as i64;
        let to = if rng.below(2) == 0 { by } else { -by };
        let back = rng.below(2 * ALLOWED_MS) as i64 - ALLOWED_MS as i64;
        Victim::draw(rng, nodes).episode(
            move |world, node| world.set_wall_clock(node, to),
            move |world, node| {
                world.set_wall_clock(node, back);
            },
        )
    },
};

impl World {
    /// Sets a node's wall clock to be off by so many milliseconds.
    pub fn set_wall_clock(&mut self, node: u64, offset_ms: i64) {
        let Some(host) = self.hosts.get(&node) else { return };
        let before_ms = host.clock().wall_offset_ms();
        host.clock().set_wall_offset_ms(offset_ms);
        let far = offset_ms.unsigned_abs() > ALLOWED_MS || before_ms.unsigned_abs() > ALLOWED_MS;
        let kind = if far { "clock-jump-far" } else { "clock-jump" };
        self.note(format!("{kind} {node} from {before_ms} to {offset_ms} ms"));
    }

    /// Sets the wall clocks of all nodes.
    pub fn set_wall_clocks(&mut self, offset_ms: i64) {
        let nodes: Vec<u64> = self.hosts.keys().copied().collect();
        nodes.into_iter().for_each(|node| self.set_wall_clock(node, offset_ms));
    }

    /// Has a time service set a node's wall clock right, as far as such do.
    pub fn set_wall_clock_right(&mut self, node: u64) {
        let off = self.hosts.get(&node).map_or(0, |host| host.clock().wall_offset_ms());
        if off.unsigned_abs() > ALLOWED_MS {
            self.set_wall_clock(node, 0);
        }
    }
}
