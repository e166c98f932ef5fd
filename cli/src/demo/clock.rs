//! A clock that never tells the same microsecond twice.
//!
//! Policies order events by the microsecond. Two events within one would be ordered by where they happened instead,
//! and which two share one is chance: with this clock a run that does one thing after the other has one order. Does
//! not know who asks.

use predis_types::Clock;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// The clock.
pub(super) struct DistinctTicks {
    clock: Arc<dyn Clock>,
    last_us: AtomicU64,
}

impl DistinctTicks {
    /// The time of another clock, or a moment later.
    pub(super) fn new(clock: Arc<dyn Clock>) -> DistinctTicks {
        DistinctTicks { clock, last_us: AtomicU64::new(0) }
    }
}

impl Clock for DistinctTicks {
    fn wall_ms(&self) -> u64 {
        self.clock.wall_ms()
    }

    fn mono_us(&self) -> u64 {
        let now = self.clock.mono_us();
        let later = |last: u64| now.max(last + 1);
        match self.last_us.fetch_update(Relaxed, Relaxed, |last| Some(later(last))) {
            Ok(last) | Err(last) => later(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::ManualClock;

    #[test]
    fn ticks_differ_and_follow_the_clock() {
        let manual = Arc::new(ManualClock::new(1_000));
        let clock = DistinctTicks::new(manual.clone());
        let ticks: Vec<u64> = (0..4).map(|_| clock.mono_us()).collect();
        assert_eq!(ticks, [1, 2, 3, 4]);
        manual.advance_ms(1);
        assert_eq!((clock.mono_us(), clock.mono_us(), clock.wall_ms()), (1000, 1001, 1001));
    }
}
