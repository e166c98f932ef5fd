//! Many partitions under one pool evict as one queue would.

use predis_policy::PolicyKind;
use predis_types::{Rng, SplitMix64};
use proptest::prelude::*;

use crate::driver::Cache;

/// Requests whose key ranks follow Zipf's law with exponent 0.9, by inverting the cumulative sums.
fn zipf(keys: u64, requests: usize, seed: u64) -> Vec<u64> {
    let weights = (1..=keys).map(|rank| (rank as f64).powf(-0.9));
    let sums: Vec<f64> = weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let mut rng = SplitMix64::new(seed);
    let draw = move || {
        let at = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64 * sums[sums.len() - 1];
        sums.partition_point(|sum| *sum < at) as u64
    };
    std::iter::repeat_with(draw).take(requests).collect()
}

/// The share of requests that hit, and every eviction in order.
fn replay(kind: PolicyKind, partitions: usize, budget: u64, trace: &[u64]) -> (f64, Vec<u64>) {
    let mut cache = Cache::new(kind, partitions, budget);
    let mut hits = 0;
    let mut gone = Vec::new();
    for (tick, key) in trace.iter().enumerate() {
        let (hit, evicted) = cache.request(*key, 1, tick as u64);
        hits += usize::from(hit);
        gone.extend(evicted);
    }
    (hits as f64 / trace.len() as f64, gone)
}

#[test]
fn lru_and_fifo_evict_the_same_keys_in_the_same_order() {
    let trace = zipf(5000, 40_000, 1);
    for kind in [PolicyKind::Lru, PolicyKind::Fifo] {
        let (_, one) = replay(kind, 1, 250, &trace);
        assert!(one.len() > 10_000, "the cache is far too small for the trace");
        for partitions in [3, 256] {
            assert!(replay(kind, partitions, 250, &trace).1 == one, "{kind} in {partitions}");
        }
    }
}

#[test]
fn s3fifo_hits_as_often_and_more_than_fifo() {
    let trace = zipf(5000, 60_000, 2);
    for budget in [50, 500] {
        let (one, _) = replay(PolicyKind::S3fifo, 1, budget, &trace);
        let (many, _) = replay(PolicyKind::S3fifo, 256, budget, &trace);
        assert!((one - many).abs() < 0.005, "{one} with one partition, {many} with 256");
        let (fifo, _) = replay(PolicyKind::Fifo, 1, budget, &trace);
        assert!(many > fifo + 0.03, "S3-FIFO {many}, FIFO {fifo}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// As above with costs, removals and changing costs.
    #[test]
    fn lru_and_fifo_agree_under_any_operations(
        steps in prop::collection::vec((0..8u8, 0..80u64, 1..9u64), 1..400),
        lru in any::<bool>(),
        partitions in 2..256usize,
    ) {
        let kind = if lru { PolicyKind::Lru } else { PolicyKind::Fifo };
        let mut caches = [Cache::new(kind, 1, 60), Cache::new(kind, partitions, 60)];
        for (tick, (what, key, cost)) in steps.into_iter().enumerate() {
            let tick = tick as u64;
            let [one, many] = caches.each_mut().map(|cache| match what {
                0 => { cache.remove(key); Vec::new() }
                1 => { cache.resize(key, cost); cache.make_room(0, tick) }
                _ => cache.request(key, cost, tick).1,
            });
            prop_assert_eq!(one, many);
        }
    }
}
