//! Many latencies as few numbers: a histogram with bounded relative error (Tene's HdrHistogram). Does not know what
//! took so long.

use hdrhistogram::Histogram;
use std::time::Duration;

/// Latencies are told apart from here on, in nanoseconds.
const FINEST_NS: u64 = 100;

/// A longer latency counts as this, in nanoseconds: an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Significant decimal digits that are kept of a latency.
const DIGITS: u8 = 3;

/// Latencies in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(FINEST_NS, LONGEST_NS, DIGITS);
        Latencies(histogram.expect("the bounds are more than a factor of two apart"))
    }
}

impl Latencies {
    /// Counts one.
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(LONGEST_NS));
    }

    /// Counts all of the others.
    pub(crate) fn add(&mut self, other: &Latencies) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that so many percent do not exceed, in microseconds.
    pub(crate) fn percentile_us(&self, percent: f64) -> f64 {
        self.0.value_at_quantile(percent / 100.0) as f64 / 1000.0
    }

    /// The longest, in microseconds.
    pub(crate) fn longest_us(&self) -> f64 {
        self.0.max() as f64 / 1000.0
    }

    /// The mean, in microseconds.
    pub(crate) fn mean_us(&self) -> f64 {
        self.0.mean() / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_keep_three_digits() {
        let mut latencies = Latencies::default();
        (1..=10_000).for_each(|us| latencies.record(Duration::from_micros(us)));
        for (percent, us) in [(50.0, 5000.0), (99.0, 9900.0), (99.99, 9999.0)] {
            let found = latencies.percentile_us(percent);
            assert!((found / us - 1.0).abs() < 0.001, "p{percent}: {found}");
        }
        assert!((latencies.longest_us() / 10_000.0 - 1.0).abs() < 0.001);
        latencies.record(Duration::from_secs(100_000));
        assert!(latencies.longest_us() >= 3.5e9, "what is longer than the longest is not lost");
    }
}
