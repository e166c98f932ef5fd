//! An open loop: operations become due one after the other, whatever became of those before them.

use crate::arguments::Arguments;
use predis_client::Client;
use predis_types::{Rng, SplitMix64};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// What every key holds.
pub(crate) const VALUE: [u8; 64] = [b'v'; 64];

/// How often it is looked what is due.
const TICK: Duration = Duration::from_millis(1);

/// One operation in so many writes.
const WRITE_EVERY: u64 = 10;

/// A key of 16 bytes.
pub(crate) fn key(number: u64) -> String {
    format!("key:{number:012}")
}

/// What the cluster does while an operation is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Before,
    Moving,
    After,
}

/// The loop, and what came of it.
pub(crate) struct Load {
    client: Client,
    rate: u64,
    keys: u64,
    seed: u64,
    limit: Duration,
    json: bool,
    over: AtomicBool,
    tally: Mutex<Tally>,
}

struct Tally {
    phase: Phase,
    // In microseconds, of those that succeeded.
    latencies: BTreeMap<Phase, Vec<u64>>,
    errors: BTreeMap<String, u64>,
}

impl Load {
    pub(crate) fn new(client: Client, arguments: &Arguments) -> Load {
        Load {
            client,
            rate: arguments.rate,
            keys: arguments.keys,
            seed: arguments.seed,
            limit: arguments.limit,
            json: arguments.json,
            over: AtomicBool::new(false),
            tally: Mutex::new(Tally {
                phase: Phase::Before,
                latencies: BTreeMap::new(),
                errors: BTreeMap::new(),
            }),
        }
    }

    /// What becomes due from now on belongs to this phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.tally().phase = phase;
    }

    /// Nothing more becomes due.
    pub(crate) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Runs until it is stopped and everything is answered.
    pub(crate) async fn run(self: Arc<Self>) {
        let (begun, mut sent) = (Instant::now(), 0);
        let (mut rng, mut calls) = (SplitMix64::new(self.seed), JoinSet::new());
        let mut ticks = tokio::time::interval(TICK);
        while !self.over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let phase = self.tally().phase;
            while let due = begun + Duration::from_nanos(1_000_000_000 / self.rate * sent)
                && due <= Instant::now()
            {
                let (number, write) = (rng.below(self.keys), rng.below(WRITE_EVERY) == 0);
                calls.spawn(self.clone().call(number, write, due, phase));
                sent += 1;
            }
            while calls.try_join_next().is_some() {}
        }
        while calls.join_next().await.is_some() {}
    }

    async fn call(self: Arc<Self>, number: u64, write: bool, due: Instant, phase: Phase) {
        let key = key(number);
        let outcome = if write {
            self.client.set(&key, VALUE).await.map_err(|error| format!("SET: {error}"))
        } else {
            match self.client.get(&key).await {
                Ok(Some(value)) if value == VALUE[..] => Ok(()),
                Ok(None) => Err("GET: the key is gone".to_owned()),
                Ok(Some(_)) => Err("GET: another value".to_owned()),
                Err(error) => Err(format!("GET: {error}")),
            }
        };
        let took = due.elapsed();
        let mut tally = self.tally();
        match outcome {
            Ok(()) => tally.latencies.entry(phase).or_default().push(took.as_micros() as u64),
            Err(error) => *tally.errors.entry(error).or_default() += 1,
        }
    }

    /// Prints what came of it; whether every call succeeded within the limit.
    pub(crate) fn report(&self, moved_s: f64, lost: u64) -> bool {
        let mut tally = self.tally();
        let limit = self.limit.as_micros() as u64;
        let mut slow = 0;
        let rows: Vec<Value> = tally
            .latencies
            .iter_mut()
            .map(|(phase, latencies)| {
                latencies.sort_unstable();
                let above = latencies.iter().filter(|&&took| took > limit).count();
                slow += above;
                let at = |share: f64| latencies[(latencies.len() as f64 * share) as usize];
                json!({
                    "phase": format!("{phase:?}").to_lowercase(), "count": latencies.len(),
                    "p50_us": at(0.5), "p99_us": at(0.99), "p99.9_us": at(0.999), "p99.99_us": at(0.9999),
                    "max_us": latencies.last(), "above_limit": above,
                })
            })
            .collect();
        let failed: u64 = tally.errors.values().sum();
        let good = failed == 0 && slow == 0;
        if self.json {
            let all = json!({
                "rate": self.rate, "keys": self.keys, "limit_us": limit, "moved_seconds": moved_s,
                "partitions_lost": lost, "failed": failed, "errors": tally.errors, "phases": rows, "good": good,
            });
            println!("{all}");
            return good;
        }
        println!(
            "| phase | calls | p50 us | p99 us | p99.9 us | p99.99 us | max us | above {:?} |",
            self.limit
        );
        println!("|---|---:|---:|---:|---:|---:|---:|---:|");
        for row in &rows {
            let of = |name: &str| row[name].to_string();
            let columns =
                ["count", "p50_us", "p99_us", "p99.9_us", "p99.99_us", "max_us", "above_limit"].map(of);
            println!("| {} | {} |", row["phase"].as_str().unwrap_or_default(), columns.join(" | "));
        }
        for (error, count) in &tally.errors {
            println!("{count} times {error}");
        }
        println!("all moved after {moved_s:.1} s, {failed} calls failed, {lost} partitions lost");
        good
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
