//! Latency as counts in buckets whose bounds double.
//!
//! Adding is one atomic addition. Percentiles are read off the buckets, so they are exact to a factor of two.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many buckets there are.
pub const BUCKETS: usize = 24;

/// The upper bound of a bucket, inclusive, in microseconds: 1, 2, 4, ...; the last bucket has none.
pub const fn bound_us(bucket: usize) -> Option<u64> {
    if bucket + 1 < BUCKETS { Some(1 << bucket) } else { None }
}

/// Counts that many threads add to.
pub(super) struct Histogram([AtomicU64; BUCKETS]);

impl Histogram {
    pub(super) const fn new() -> Histogram {
        Histogram([const { AtomicU64::new(0) }; BUCKETS])
    }

    /// Counts `times` events that took `nanos` each.
    pub(super) fn add(&self, nanos: u64, times: u64) {
        self.0[bucket(nanos)].fetch_add(times, Relaxed);
    }

    pub(super) fn reset(&self) {
        self.0.iter().for_each(|count| count.store(0, Relaxed));
    }
}

fn bucket(nanos: u64) -> usize {
    let micros = nanos.div_ceil(1000).max(1);
    (micros.next_power_of_two().trailing_zeros() as usize).min(BUCKETS - 1)
}

/// What a histogram held at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many events fell into each bucket; see [`bound_us`].
    pub buckets: [u64; BUCKETS],
    /// How many events there were.
    pub count: u64,
    /// How long they took together, in nanoseconds.
    pub sum_ns: u64,
}

impl Latency {
    /// Adds a histogram and the summed time of its events.
    pub(super) fn join(&mut self, histogram: &Histogram, sum_ns: u64) {
        for (bucket, count) in self.buckets.iter_mut().zip(&histogram.0) {
            let count = count.load(Relaxed);
            *bucket += count;
            self.count += count;
        }
        self.sum_ns += sum_ns;
    }

    /// The time in microseconds that `percent` of the events did not exceed, rounded up to a bucket's bound;
    /// the last bucket counts as twice the bound before it. 0 when there were no events.
    pub fn percentile_us(&self, percent: f64) -> u64 {
        let rank = (self.count as f64 * percent / 100.0).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank && seen > 0 {
                return 1 << bucket;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_fall_into_the_smallest_bucket_that_holds_them() {
        for (nanos, bound) in [(0, 1), (1000, 1), (1001, 2), (2000, 2), (4001, 8), (1_000_000, 1024)] {
            assert_eq!(bound_us(bucket(nanos)), Some(bound), "{nanos}");
        }
        assert_eq!(bound_us(bucket(u64::MAX)), None);
    }

    #[test]
    fn percentiles_are_bounds_of_buckets() {
        let histogram = Histogram::new();
        histogram.add(900, 98);
        histogram.add(3_000, 1);
        histogram.add(900_000, 1);
        let mut latency = Latency::default();
        assert_eq!(latency.percentile_us(50.0), 0);
        latency.join(&histogram, 7);
        assert_eq!((latency.count, latency.sum_ns), (100, 7));
        let of = |percent| latency.percentile_us(percent);
        assert_eq!((of(50.0), of(98.0), of(99.0), of(99.9)), (1, 1, 4, 1024));
    }
}
