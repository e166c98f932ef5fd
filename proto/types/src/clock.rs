//! Time as a parameter: what a clock tells, and one that only moves when told to.
//!
//! The clock that reads the operating system lives with the node; nothing here can.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where a node reads time. Implementations may differ between nodes by skew and drift.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch. May jump; only expiry and reports use it.
    fn wall_ms(&self) -> u64;

    /// Microseconds since an arbitrary moment. Never goes back and keeps counting while the machine is
    /// suspended (CLOCK_BOOTTIME), because leases are judged by it.
    fn mono_us(&self) -> u64;
}

/// A clock that stands still until it is moved; wall time and monotonic time move together.
#[derive(Debug, Default)]
pub struct ManualClock {
    base_wall_ms: u64,
    mono_us: AtomicU64,
}

impl ManualClock {
    /// A clock that reads `wall_ms` and a monotonic time of zero.
    pub fn new(wall_ms: u64) -> Self {
        ManualClock { base_wall_ms: wall_ms, mono_us: AtomicU64::new(0) }
    }

    /// Moves both times forward.
    pub fn advance_ms(&self, ms: u64) {
        self.mono_us.fetch_add(ms * 1000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> u64 {
        self.base_wall_ms + self.mono_us() / 1000
    }

    fn mono_us(&self) -> u64 {
        self.mono_us.load(Ordering::Relaxed)
    }
}
