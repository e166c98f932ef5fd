//! What the load has come to so far, as those who send it and those who look at it share it. Does not know either.

use crate::{
    demo::score::{Hits, POLICIES},
    latencies::Latencies,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What came of one batch of requests.
#[derive(Default)]
pub(super) struct Served {
    pub(super) requests: u64,
    pub(super) hits: u64,
    /// Requests that nobody served.
    pub(super) unserved: u64,
    /// What all shadows had found when the batch was asked of them.
    pub(super) shadows: [u64; POLICIES],
    /// Of GETs that were answered.
    pub(super) latencies: Latencies,
}

/// The load so far, and what was new in it since the last look.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub(super) total: Hits,
    pub(super) unserved: u64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

#[derive(Default)]
struct Inner {
    total: Hits,
    unserved: u64,
    /// Since the last look.
    recent: Latencies,
    /// Before that.
    earlier: Latencies,
}

/// The load so far.
#[derive(Default)]
pub(super) struct Board(Mutex<Inner>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a batch.
    pub(super) fn add(&self, served: &Served) {
        let mut inner = self.lock();
        inner.total.requests += served.requests;
        inner.total.cluster += served.hits;
        // Batches end in another order than they began.
        inner.total.shadows = std::array::from_fn(|at| inner.total.shadows[at].max(served.shadows[at]));
        inner.unserved += served.unserved;
        inner.recent.add(&served.latencies);
    }

    /// Everything so far; latencies are those since the last call.
    pub(super) fn sample(&self) -> Sample {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let recent = std::mem::take(&mut inner.recent);
        inner.earlier.add(&recent);
        Sample {
            total: inner.total,
            unserved: inner.unserved,
            p50_us: recent.percentile_us(50.0),
            p99_us: recent.percentile_us(99.0),
        }
    }

    /// All latencies.
    pub(super) fn latencies(&self) -> Latencies {
        let inner = self.lock();
        let mut all = inner.earlier.clone();
        all.add(&inner.recent);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn batches_add_up_whatever_their_order() {
        let board = Board::default();
        let batch = |shadows, us| {
            let mut served = Served { requests: 10, hits: 4, unserved: 1, shadows, ..Served::default() };
            served.latencies.record(Duration::from_micros(us));
            served
        };
        board.add(&batch([9, 8, 7], 100));
        board.add(&batch([5, 4, 3], 100));
        let sample = board.sample();
        let total = Hits { requests: 20, cluster: 8, shadows: [9, 8, 7] };
        assert_eq!((sample.total, sample.unserved), (total, 2));
        assert!((sample.p50_us - 100.0).abs() < 1.0);
        board.add(&batch([10, 9, 8], 900));
        assert!(board.sample().p50_us > 800.0, "a sample has what is new");
        assert_eq!(board.latencies().count(), 3);
    }
}
