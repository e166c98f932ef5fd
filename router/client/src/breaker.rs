//! When a node is left alone: after failures in a row, until one call that is let through succeeds.
//!
//! ```text
//! closed --failures in a row--> open --pause is over--> one trial --success--> closed
//!                                ^------------------------ failure ---'
//! ```
//! Knows nothing of what a failure is.

use crate::settings::BreakerSettings;
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// How long the outcome of a trial is waited for before there is another one.
const TRIAL_LIMIT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed,
    Open { until: Instant, opened: u32 },
    Trial { until: Instant, opened: u32 },
}

/// One node's breaker.
pub(crate) struct Breaker {
    settings: BreakerSettings,
    /// In a row; read without the lock by every call.
    failures: AtomicU32,
    phase: Mutex<Phase>,
}

impl Breaker {
    pub(crate) fn new(settings: BreakerSettings) -> Breaker {
        Breaker { settings, failures: AtomicU32::new(0), phase: Mutex::new(Phase::Closed) }
    }

    /// Whether the node may be tried now; if not, when to ask again at the latest.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Instant> {
        if self.failures.load(Relaxed) < self.settings.failures {
            return Ok(());
        }
        let mut phase = self.phase();
        match *phase {
            Phase::Closed => Ok(()),
            Phase::Open { until, .. } | Phase::Trial { until, .. } if now < until => Err(until),
            Phase::Open { opened, .. } | Phase::Trial { opened, .. } => {
                *phase = Phase::Trial { until: now + TRIAL_LIMIT, opened };
                Ok(())
            }
        }
    }

    /// The node answered; whether that ends its being left alone.
    pub(crate) fn success(&self) -> bool {
        if self.failures.load(Relaxed) == 0 {
            return false;
        }
        let mut phase = self.phase();
        self.failures.store(0, Relaxed);
        !matches!(std::mem::replace(&mut *phase, Phase::Closed), Phase::Closed)
    }

    /// The node failed. `share`, from 0 to 1, says how long within its bounds the pause is.
    pub(crate) fn failure(&self, now: Instant, share: f64) {
        let mut phase = self.phase();
        let failures = self.failures.load(Relaxed).saturating_add(1);
        self.failures.store(failures, Relaxed);
        let opened = match *phase {
            Phase::Closed if failures >= self.settings.failures => 0,
            Phase::Trial { opened, .. } => opened,
            Phase::Closed | Phase::Open { .. } => return,
        };
        let doubled = self.settings.first_pause.checked_mul(1u32.checked_shl(opened).unwrap_or(u32::MAX));
        let longest = doubled.unwrap_or(Duration::MAX).min(self.settings.longest_pause);
        let until = now + longest.mul_f64(0.5 + share.clamp(0.0, 1.0) / 2.0);
        *phase = Phase::Open { until, opened: opened.saturating_add(1) };
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings {
            failures: 2,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_millis(300),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_half_opens() {
        let (breaker, now) = (breaker(), Instant::now());
        let ms = |ms| now + Duration::from_millis(ms);
        breaker.failure(now, 1.0);
        assert!(!breaker.success(), "one failure opens nothing");
        breaker.failure(now, 1.0);
        assert_eq!(breaker.admit(now), Ok(()), "a success in between begins the row anew");
        breaker.failure(now, 1.0);
        assert_eq!(breaker.admit(ms(99)), Err(ms(100)));
        breaker.failure(ms(99), 1.0);
        assert_eq!(breaker.admit(ms(100)), Ok(()), "failures while it is open change nothing");
        assert_eq!(breaker.admit(ms(100)), Err(ms(1100)), "one trial at a time");
        breaker.failure(ms(150), 0.0);
        assert_eq!(breaker.admit(ms(200)), Err(ms(250)), "twice the pause, of which half was drawn");
        assert_eq!(breaker.admit(ms(250)), Ok(()));
        assert_eq!(breaker.admit(ms(1250)), Ok(()), "a trial without an outcome is followed by another");
        assert!(breaker.success());
        assert_eq!(breaker.admit(ms(1251)), Ok(()));
        assert_eq!(breaker.admit(ms(1251)), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_are_bounded() {
        let (breaker, mut now) = (breaker(), Instant::now());
        breaker.failure(now, 1.0);
        for pause_ms in [100, 200, 300, 300] {
            breaker.failure(now, 1.0);
            let until = now + Duration::from_millis(pause_ms);
            assert_eq!(breaker.admit(now), Err(until));
            now = until;
            assert_eq!(breaker.admit(now), Ok(()));
        }
    }
}
