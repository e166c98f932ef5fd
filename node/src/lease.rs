//! The node's lease as every request reads it: one word.
//!
//! Renewed by the agent, read before and after execution by whoever runs commands.

use predis_types::{
    Clock,
    planted::{self, Bug},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// When the lease ends; shared by all threads of a node.
pub struct Lease {
    clock: Arc<dyn Clock>,
    until_us: AtomicU64,
    /// The end by the wall clock, for the planted bug that believes in it.
    until_wall_ms: AtomicU64,
}

impl Lease {
    /// No lease yet.
    pub fn new(clock: Arc<dyn Clock>) -> Lease {
        Lease { clock, until_us: AtomicU64::new(0), until_wall_ms: AtomicU64::new(0) }
    }

    /// Sets the end, in microseconds of the node's monotonic clock; 0 gives the lease up.
    pub fn set(&self, until_us: u64) {
        let before_us = self.until_us.swap(until_us, Ordering::AcqRel);
        if planted::active(Bug::LeaseOnWallClock) && until_us != before_us {
            let left_ms = until_us.saturating_sub(self.clock.mono_us()) / 1000;
            self.until_wall_ms.store(self.clock.wall_ms() + left_ms, Ordering::Relaxed);
        }
    }

    /// How long it is still held, if it is not renewed; a moment at least.
    pub fn remaining(&self) -> std::time::Duration {
        let left_us = self.until_us.load(Ordering::Acquire).saturating_sub(self.clock.mono_us());
        std::time::Duration::from_micros(left_us.max(1_000))
    }

    /// For how long it has been over, in microseconds; `None`: there was none in this life, or it was given up.
    pub fn over_for_us(&self) -> Option<u64> {
        let until = Some(self.until_us.load(Ordering::Acquire)).filter(|until| *until > 0)?;
        Some(self.clock.mono_us().saturating_sub(until))
    }

    /// Whether the node holds its lease at this moment.
    pub fn is_valid(&self) -> bool {
        let until = self.until_us.load(Ordering::Acquire);
        if planted::active(Bug::LeaseIgnored) {
            return until > 0;
        }
        if planted::active(Bug::LeaseOnWallClock) {
            return self.clock.wall_ms() < self.until_wall_ms.load(Ordering::Relaxed);
        }
        self.clock.mono_us() < until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::ManualClock;

    #[test]
    fn ends_at_its_end() {
        let clock = Arc::new(ManualClock::new(0));
        let lease = Lease::new(clock.clone());
        assert!(!lease.is_valid());
        assert_eq!(lease.over_for_us(), None);
        lease.set(5_000);
        clock.advance_ms(4);
        assert!(lease.is_valid());
        clock.advance_ms(1);
        assert!(!lease.is_valid());
        clock.advance_ms(2);
        assert_eq!(lease.over_for_us(), Some(2_000));
        lease.set(0);
        assert_eq!(lease.over_for_us(), None);
    }
}
