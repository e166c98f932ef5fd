//! Events a second, from samples of totals taken now and then.

/// Totals at one moment, or events a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Commands executed.
    pub commands: u64,
    /// Bytes received.
    pub net_in_bytes: u64,
    /// Bytes sent.
    pub net_out_bytes: u64,
}

/// How many samples are kept; with ten samples a second they span about as long as Redis's do.
const SAMPLES: usize = 16;

/// The last samples, oldest first.
#[derive(Debug, Default)]
pub(super) struct Rates {
    samples: std::collections::VecDeque<(u64, Totals)>,
}

impl Rates {
    /// Adds the totals at a moment, in microseconds of a monotonic clock.
    pub(super) fn sample(&mut self, now_us: u64, totals: Totals) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now_us, totals));
    }

    /// What happened a second between the oldest sample and the newest.
    pub(super) fn per_second(&self) -> Totals {
        let (Some((from_us, from)), Some((to_us, to))) = (self.samples.front(), self.samples.back()) else {
            return Totals::default();
        };
        let rate = |from: u64, to: u64| {
            let events = u128::from(to.saturating_sub(from)) * 1_000_000;
            // A clock that stands still tells nothing.
            events.checked_div(u128::from(to_us.saturating_sub(*from_us))).unwrap_or(0) as u64
        };
        Totals {
            commands: rate(from.commands, to.commands),
            net_in_bytes: rate(from.net_in_bytes, to.net_in_bytes),
            net_out_bytes: rate(from.net_out_bytes, to.net_out_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_span_the_kept_samples() {
        let mut rates = Rates::default();
        assert_eq!(rates.per_second(), Totals::default());
        rates.sample(0, Totals { commands: 9, ..Totals::default() });
        rates.sample(0, Totals { commands: 99, ..Totals::default() });
        assert_eq!(rates.per_second(), Totals::default());
        for step in 0..100_u64 {
            // Fast at first, then 20 commands every 100 ms.
            let commands = if step < 50 { step * 1000 } else { 50_000 + step * 20 };
            rates.sample(step * 100_000, Totals { commands, net_in_bytes: step, net_out_bytes: 0 });
        }
        assert_eq!(rates.per_second(), Totals { commands: 200, net_in_bytes: 10, net_out_bytes: 0 });
        assert_eq!(rates.samples.len(), SAMPLES);
    }
}
