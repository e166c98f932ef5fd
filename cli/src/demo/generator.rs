//! The demo's own workload: requests for the objects of a catalogue, the same for the same seed.
//!
//! ```text
//!   popularity   rank by Zipf's law --> object of that rank; now and then two objects swap ranks (drift)
//!   scans        a job reads a stretch of the catalogue in order, every other request while it lasts
//!   daily wave   the rate swings around its mean, two days in a run
//! ```
//! What it asks depends on the seed and the number of requests alone. Does not know caches, clusters or the clock.

use crate::{
    trace::Request,
    zipf::{Zipf, unit},
};
use bytes::Bytes;
use predis_types::{Rng, SplitMix64, mix64};
use std::f64::consts::TAU;

/// The skew of popularity; web caches are measured between 0.6 and 1.1 (Breslau et al., INFOCOM 1999).
const EXPONENT: f64 = 0.9;

/// Requests for each object of the catalogue, on average.
const REQUESTS_PER_OBJECT: u64 = 8;

/// The smallest and the largest catalogue.
const OBJECTS: (u64, u64) = (100, 2_000_000);

/// The part of the ranks that drifts: the most popular tenth.
const POPULAR: u64 = 10;

/// How often, on average, each popular rank is given to another object in one run.
const CHANGES_PER_RUN: u64 = 2;

/// How many scans there are in one run, and which part of the catalogue each reads.
const SCANS: u64 = 6;
const SCANNED: u64 = 8;

/// How many days a run has, and how far the rate swings from its mean.
const DAYS: f64 = 2.0;
const SWING: f64 = 0.6;

/// The smallest object, and by how many powers of two the largest exceed it.
const SMALLEST_BYTES: u64 = 64;
const SIZE_CLASSES: u64 = 6;

/// A job that reads the catalogue in order.
#[derive(Clone, Debug)]
struct Scan {
    next: u32,
    left: u64,
}

/// The workload.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    seed: u64,
    rng: SplitMix64,
    zipf: Zipf,
    /// The object of each rank, the most popular first.
    of_rank: Vec<u32>,
    requests: u64,
    issued: u64,
    /// When the next request is made, in seconds since the beginning of the run.
    time_s: f64,
    seconds: f64,
    scan: Option<Scan>,
    scan_from: u64,
}

impl Generator {
    /// A run of `requests` requests in `seconds` seconds of its own time.
    pub(super) fn new(seed: u64, requests: u64, seconds: f64) -> Generator {
        let objects = (requests / REQUESTS_PER_OBJECT).clamp(OBJECTS.0, OBJECTS.1);
        let mut rng = SplitMix64::new(mix64(seed));
        let mut of_rank: Vec<u32> = (0..objects as u32).collect();
        // Fisher and Yates.
        for last in (1..of_rank.len()).rev() {
            of_rank.swap(last, rng.below(last as u64 + 1) as usize);
        }
        let zipf = Zipf::new(objects, EXPONENT);
        let mut generator = Generator {
            seed,
            rng,
            zipf,
            of_rank,
            requests,
            issued: 0,
            time_s: 0.0,
            seconds,
            scan: None,
            scan_from: 0,
        };
        generator.plan_scan();
        generator
    }

    fn objects(&self) -> u64 {
        self.of_rank.len() as u64
    }

    /// When the next scan begins: once in each of the equal parts of a run, at a random place of it.
    fn plan_scan(&mut self) {
        let part = (self.requests / SCANS).max(1);
        let begin = self.issued.div_ceil(part) * part;
        self.scan_from = begin + self.rng.below(part / 2 + 1);
    }

    /// Gives a popular rank to another object now and then, which takes over the rank that the other one had.
    fn drift(&mut self) {
        let popular = (self.objects() / POPULAR).max(1);
        let every = (self.requests / (popular * CHANGES_PER_RUN)).max(1);
        if self.issued.is_multiple_of(every) {
            let rank = self.rng.below(popular) as usize;
            let other = self.rng.below(self.objects()) as usize;
            self.of_rank.swap(rank, other);
        }
    }

    fn object(&mut self) -> u32 {
        if self.scan.is_none() && self.issued >= self.scan_from {
            let next = self.rng.below(self.objects()) as u32;
            self.scan = Some(Scan { next, left: self.objects() / SCANNED });
        }
        let objects = self.of_rank.len() as u32;
        match &mut self.scan {
            Some(scan) if self.issued.is_multiple_of(2) => {
                let object = scan.next;
                scan.next = (scan.next + 1) % objects;
                scan.left = scan.left.saturating_sub(1);
                if scan.left == 0 {
                    self.scan = None;
                    self.plan_scan();
                }
                object
            }
            _ => self.of_rank[self.zipf.sample(&mut self.rng) as usize - 1],
        }
    }

    /// Whether a scan is under way.
    pub(super) fn is_scanning(&self) -> bool {
        self.scan.is_some()
    }

    /// The rate relative to its mean at this time of the run.
    fn wave(&self) -> f64 {
        1.0 + SWING * (TAU * DAYS * self.time_s / self.seconds).sin()
    }
}

impl Iterator for Generator {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        if self.issued == self.requests {
            return None;
        }
        let object = self.object();
        self.drift();
        let time_ms = (self.time_s * 1000.0) as u64;
        // Gaps of random length with the mean of the hour: what arrives is not a drumbeat.
        let gap = -(1.0 - unit(&mut self.rng)).ln() * self.seconds / self.requests as f64;
        self.time_s += gap / self.wave();
        self.issued += 1;
        let key = Bytes::from(format!("object:{object:07}"));
        Some(Request { time_ms, key, size_bytes: size_bytes(self.seed, object) })
    }
}

/// An object's size, which never changes: as many objects between 64 and 127 bytes as between 2048 and 4095.
fn size_bytes(seed: u64, object: u32) -> u64 {
    let word = mix64(seed ^ mix64(u64::from(object)));
    let smallest = SMALLEST_BYTES << (word % SIZE_CLASSES);
    smallest + (word >> 8) % smallest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    const REQUESTS: u64 = 40_000;

    fn requests(seed: u64) -> Vec<Request> {
        Generator::new(seed, REQUESTS, 40.0).collect()
    }

    /// The objects asked for most, without scans in the way.
    fn popular(requests: &[Request], how_many: usize) -> BTreeSet<Bytes> {
        let mut counts: BTreeMap<&Bytes, u64> = BTreeMap::new();
        requests.iter().for_each(|request| *counts.entry(&request.key).or_default() += 1);
        let mut by_count: Vec<(u64, &Bytes)> = counts.into_iter().map(|(key, count)| (count, key)).collect();
        by_count.sort_unstable_by(|a, b| b.cmp(a));
        by_count.into_iter().take(how_many).map(|(_, key)| key.clone()).collect()
    }

    #[test]
    fn a_seed_gives_one_workload_and_another_seed_another() {
        assert_eq!(requests(1), requests(1));
        assert_ne!(requests(1), requests(2));
        assert_eq!(requests(1).len() as u64, REQUESTS);
    }

    #[test]
    fn a_few_objects_are_asked_for_most() {
        let requests = requests(3);
        let unique: BTreeSet<&Bytes> = requests.iter().map(|request| &request.key).collect();
        let tenth = popular(&requests, unique.len() / 10);
        let share = requests.iter().filter(|request| tenth.contains(&request.key)).count() as f64
            / requests.len() as f64;
        assert!((0.5..0.85).contains(&share), "the most popular tenth has {share} of the requests");
    }

    #[test]
    fn what_is_popular_drifts() {
        let requests = requests(5);
        let tenth = requests.len() / 10;
        let at = |part: usize| popular(&requests[part * tenth..(part + 1) * tenth], 50);
        let shared = |a: usize, b: usize| at(a).intersection(&at(b)).count();
        let (soon, late) = (shared(0, 1), shared(0, 9));
        assert!(soon >= 25, "{soon} of 50 are popular still");
        assert!(late <= 15, "{late} of 50 are popular still");
        assert!(late < soon / 2);
    }

    #[test]
    fn scans_read_the_catalogue_in_order() {
        let mut generator = Generator::new(7, REQUESTS, 40.0);
        let (mut scans, mut scanning, mut scanned) = (0, false, 0);
        while generator.next().is_some() {
            scans += u64::from(generator.is_scanning() && !scanning);
            scanning = generator.is_scanning();
            scanned += u64::from(scanning);
        }
        assert_eq!(scans, SCANS);
        let expected = 2 * SCANS * (REQUESTS / REQUESTS_PER_OBJECT) / SCANNED;
        assert!(
            scanned.abs_diff(expected) <= 2 * SCANS,
            "{scanned} requests during scans, {expected} expected"
        );
        let numbers: Vec<u64> = requests(7)
            .iter()
            .map(|request| std::str::from_utf8(&request.key).unwrap()[7..].parse().unwrap())
            .collect();
        let in_order = numbers.windows(3).filter(|window| window[2] == window[0] + 1).count() as u64;
        assert!(in_order > expected / 3, "{in_order}");
    }

    #[test]
    fn the_rate_swings_twice_around_its_mean() {
        let requests = requests(9);
        let mut per_second = vec![0u64; 41];
        requests.iter().for_each(|request| per_second[(request.time_ms as usize / 1000).min(40)] += 1);
        let around = |second: usize| per_second[second - 2..=second + 2].iter().sum::<u64>() / 5;
        // Two days of twenty seconds: peaks after a quarter of each, troughs after three quarters.
        for (peak, trough) in [(5, 15), (25, 35)] {
            assert!(around(peak) > 1300 && around(trough) < 700, "{per_second:?}");
        }
        assert!(requests.is_sorted_by_key(|request| request.time_ms));
        let end_ms = requests.last().unwrap().time_ms;
        assert!((38_000..42_000).contains(&end_ms), "{end_ms}");
    }

    #[test]
    fn sizes_are_spread_evenly_over_powers_of_two_and_stay() {
        let sizes: Vec<u64> = (0..60_000).map(|object| size_bytes(1, object)).collect();
        assert!(sizes.iter().all(|size| (64..4096).contains(size)));
        let small = sizes.iter().filter(|size| **size < 128).count();
        let large = sizes.iter().filter(|size| **size >= 2048).count();
        assert!((9_000..11_000).contains(&small) && (9_000..11_000).contains(&large), "{small} {large}");
        let mut known: BTreeMap<Bytes, u64> = BTreeMap::new();
        assert!(requests(1).into_iter().all(|r| *known.entry(r.key).or_insert(r.size_bytes) == r.size_bytes));
    }
}
