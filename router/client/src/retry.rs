//! How often and how soon something is tried again: pauses that grow and are drawn, and tokens that run out.
//!
//! Exponential back-off with full jitter; a token bucket filled by calls and by time, as in Finagle's RetryBudget. Knows
//! nothing of calls.

use crate::settings::RetrySettings;
use predis_types::Rng;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// The pause before the `attempt`th repetition, from 0 on.
pub(crate) fn pause(settings: &RetrySettings, attempt: u32, rng: &mut dyn Rng) -> Duration {
    let longest = settings
        .first_pause
        .checked_mul(1u32.checked_shl(attempt).unwrap_or(u32::MAX))
        .map_or(settings.longest_pause, |longest| longest.min(settings.longest_pause));
    let most_us = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(rng.below(most_us.saturating_add(1)))
}

/// What repetitions are paid from. Counted in thousandths of a token.
pub(crate) struct Budget {
    most: i64,
    per_call: i64,
    per_second: f64,
    tokens: AtomicI64,
    filled_at: Mutex<Instant>,
}

impl Budget {
    pub(crate) fn new(settings: &RetrySettings, now: Instant) -> Budget {
        let most = i64::from(settings.tokens) * 1000;
        Budget {
            most,
            per_call: (settings.tokens_per_call * 1000.0) as i64,
            per_second: settings.tokens_per_second * 1000.0,
            tokens: AtomicI64::new(most),
            filled_at: Mutex::new(now),
        }
    }

    /// A call begins.
    pub(crate) fn deposit(&self) {
        // Nearly always full, so nearly always only read.
        if self.tokens.load(Relaxed) < self.most {
            self.tokens.fetch_add(self.per_call, Relaxed);
        }
    }

    /// Takes a token; whether there was one.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let mut filled_at = self.filled_at.lock().unwrap_or_else(PoisonError::into_inner);
        let earned = (now.saturating_duration_since(*filled_at).as_secs_f64() * self.per_second) as i64;
        if earned > 0 {
            *filled_at = now;
        }
        let tokens = self.tokens.load(Relaxed).saturating_add(earned).min(self.most);
        let enough = tokens >= 1000;
        // Deposits of other threads between the two may be lost: a tenth of a token each.
        self.tokens.store(if enough { tokens - 1000 } else { tokens }, Relaxed);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::SplitMix64;

    #[test]
    fn pauses_grow_to_their_bound_and_are_drawn_from_all_of_it() {
        let settings = RetrySettings::default();
        let mut rng = SplitMix64::new(1);
        for (attempt, longest_ms) in [(0, 10), (1, 20), (4, 160), (5, 250), (40, 250)] {
            let drawn: Vec<Duration> = (0..1000).map(|_| pause(&settings, attempt, &mut rng)).collect();
            let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
            let longest = Duration::from_millis(longest_ms);
            assert!(*most <= longest && *most > longest * 9 / 10 && *least < longest / 10, "{attempt}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_runs_out_and_is_refilled_by_calls_and_time() {
        let settings = RetrySettings {
            tokens: 3,
            tokens_per_call: 0.5,
            tokens_per_second: 2.0,
            ..RetrySettings::default()
        };
        let now = Instant::now();
        let budget = Budget::new(&settings, now);
        let taken = |now| (0..10).filter(|_| budget.withdraw(now)).count();
        assert_eq!(taken(now), 3);
        for _ in 0..4 {
            budget.deposit();
        }
        assert_eq!(taken(now), 2, "half a token a call");
        assert_eq!(taken(now + Duration::from_secs(1)), 2, "two a second");
        assert_eq!(taken(now + Duration::from_secs(60)), 3, "never more than the most");
    }
}
