//! The end of all faults: everything is mended at once.

use crate::world::{Odds, World};

impl World {
    /// Mends what can be mended: every link, clock, disk and machine is well, and what stood still or was down runs.
    /// What was asked of the cluster stands.
    pub fn heal(&mut self) {
        for (a, b) in self.pairs() {
            self.mend(a, b);
            self.hasten(a, b);
        }
        self.drop_messages(0.0);
        self.set_odds(Odds::default());
        let nodes: Vec<u64> = self.hosts.keys().copied().collect();
        for node in nodes {
            self.clear_disk(node);
            self.spare_sync(node);
            self.speed_up(node);
            self.resume(node);
            self.set_wall_clock_right(node);
            self.restart(node);
        }
    }
}
