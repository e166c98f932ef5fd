//! Ranks by Zipf's law: rank `k` of `1..=n` with a probability in proportion to `1 / k^exponent`.
//!
//! Rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
//! distributions", ACM TOMACS 6(3), 1996): constant time and no table, however many ranks there are. Does not know
//! what a rank stands for.

use predis_types::Rng;

/// The law for some number of ranks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zipf {
    ranks: f64,
    exponent: f64,
    integral_first: f64,
    integral_last: f64,
    accept: f64,
}

impl Zipf {
    /// The law for ranks `1..=ranks`, at least one. An exponent of 0 makes all ranks alike.
    pub(crate) fn new(ranks: u64, exponent: f64) -> Zipf {
        let ranks = ranks.max(1) as f64;
        let mut zipf = Zipf { ranks, exponent, integral_first: 0.0, integral_last: 0.0, accept: 0.0 };
        zipf.integral_first = zipf.integral(1.5) - 1.0;
        zipf.integral_last = zipf.integral(ranks + 0.5);
        zipf.accept = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.weight(2.0));
        zipf
    }

    /// The next rank.
    pub(crate) fn sample(&self, rng: &mut dyn Rng) -> u64 {
        loop {
            let span = self.integral_first - self.integral_last;
            let area = self.integral_last + unit(rng) * span;
            let place = self.inverse(area);
            let rank = (place + 0.5).floor().clamp(1.0, self.ranks);
            if rank - place <= self.accept || area >= self.integral(rank + 0.5) - self.weight(rank) {
                return rank as u64;
            }
        }
    }

    fn weight(&self, rank: f64) -> f64 {
        (-self.exponent * rank.ln()).exp()
    }

    /// An integral of the weight.
    fn integral(&self, rank: f64) -> f64 {
        let log = rank.ln();
        expm1_over((1.0 - self.exponent) * log) * log
    }

    /// Where the integral has this value.
    fn inverse(&self, area: f64) -> f64 {
        // Rounding may carry it just beyond -1, where there is no logarithm.
        let scaled = (area * (1.0 - self.exponent)).max(-1.0);
        (ln1p_over(scaled) * area).exp()
    }
}

/// A number from 0 up to but not including 1.
pub(crate) fn unit(rng: &mut dyn Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// `(e^x - 1) / x`, at 0 too.
fn expm1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.exp_m1() / x } else { 1.0 + x / 2.0 }
}

/// `ln(1 + x) / x`, at 0 too.
fn ln1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.ln_1p() / x } else { 1.0 - x / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::SplitMix64;

    /// How often each rank came up, rank 1 first.
    fn counts(ranks: u64, exponent: f64, draws: usize) -> Vec<u64> {
        let (zipf, mut rng) = (Zipf::new(ranks, exponent), SplitMix64::new(7));
        let mut counts = vec![0; ranks as usize];
        for _ in 0..draws {
            counts[zipf.sample(&mut rng) as usize - 1] += 1;
        }
        counts
    }

    #[test]
    fn frequencies_are_those_of_the_law() {
        let draws = 400_000;
        for (ranks, exponent) in [(1, 1.0), (10, 0.0), (100, 0.7), (1000, 0.99), (1000, 1.0), (50, 2.5)] {
            let norm: f64 = (1..=ranks).map(|k| (k as f64).powf(-exponent)).sum();
            let counts = counts(ranks, exponent, draws);
            for (rank, count) in (1..=ranks).zip(counts) {
                let expected = (rank as f64).powf(-exponent) / norm * draws as f64;
                // Five standard deviations of a Poisson count.
                let bound = 5.0 * expected.sqrt() + 1.0;
                assert!(
                    (count as f64 - expected).abs() < bound,
                    "{exponent}: {rank}: {count} for {expected}"
                );
            }
        }
    }

    #[test]
    fn many_ranks_take_no_longer_and_stay_in_bounds() {
        let (zipf, mut rng) = (Zipf::new(1 << 40, 0.99), SplitMix64::new(1));
        assert!((0..10_000).all(|_| (1..=1 << 40).contains(&zipf.sample(&mut rng))));
    }

    #[test]
    fn a_seed_gives_one_sequence() {
        assert_eq!(counts(100, 1.1, 1000), counts(100, 1.1, 1000));
    }
}
