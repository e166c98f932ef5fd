//! Clocks that are wrong: each host's has an offset and a drift, and its wall clock jumps.

use predis_types::Clock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// When the simulated world begins, in milliseconds since the Unix epoch.
const EPOCH_MS: u64 = 1_700_000_000_000;

/// The time between ticks, for those who look at a node from outside.
#[derive(Debug, Default)]
pub struct WorldTime(AtomicU64);

impl WorldTime {
    /// Sets the time between ticks.
    pub fn set(&self, elapsed: Duration) {
        self.0.store(elapsed.as_micros() as u64, Ordering::Relaxed);
    }

    /// The true time, in microseconds since the world began.
    pub fn now_us(&self) -> u64 {
        turmoil::sim_elapsed().map_or_else(|| self.0.load(Ordering::Relaxed), |now| now.as_micros() as u64)
    }
}

/// One host's clocks: the monotonic one is the true time scaled by a drift and moved by an offset; the wall clock is
/// the true time, wrong by an amount that may jump.
#[derive(Debug)]
pub struct SimClock {
    time: Arc<WorldTime>,
    drift_ppm: i64,
    offset_us: u64,
    wall_offset_ms: AtomicI64,
}

impl SimClock {
    /// A clock that runs `drift_ppm` too fast and started at `offset_us`; its wall time is off by
    /// `wall_offset_ms`.
    pub fn new(time: Arc<WorldTime>, drift_ppm: i64, offset_us: u64, wall_offset_ms: i64) -> SimClock {
        SimClock { time, drift_ppm, offset_us, wall_offset_ms: AtomicI64::new(wall_offset_ms) }
    }

    /// By how many millionths it runs too fast.
    pub fn drift_ppm(&self) -> i64 {
        self.drift_ppm
    }

    /// By how much its wall time is off, in milliseconds.
    pub fn wall_offset_ms(&self) -> i64 {
        self.wall_offset_ms.load(Ordering::Relaxed)
    }

    /// Sets the wall clock, as an operator or a time service does; the monotonic clock knows nothing of it.
    pub fn set_wall_offset_ms(&self, offset_ms: i64) {
        self.wall_offset_ms.store(offset_ms, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn wall_ms(&self) -> u64 {
        (EPOCH_MS + self.time.now_us() / 1_000).saturating_add_signed(self.wall_offset_ms())
    }

    fn mono_us(&self) -> u64 {
        let now = self.time.now_us();
        let drift = (i128::from(now) * i128::from(self.drift_ppm) / 1_000_000) as i64;
        self.offset_us + now.saturating_add_signed(drift)
    }
}
