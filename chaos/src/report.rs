//! What many runs amount to.

use crate::{
    fault::KINDS,
    jobs::Job,
    run::{Outcome, SECONDS},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::Duration};

/// The sum over runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Runs, one a seed and scenario.
    pub seeds: u64,
    /// Time simulated, in seconds.
    pub simulated_s: f64,
    /// Client operations checked.
    pub operations: u64,
    /// Faults fired.
    pub faults: u64,
    /// Faults fired, by kind; every kind is there.
    pub faults_by_kind: BTreeMap<String, u64>,
    /// Runs that did not hold: scenario, seed, invariant and complaint.
    pub failures: Vec<String>,
    /// Runs a minute of real time.
    pub seeds_per_min: f64,
}

impl Report {
    /// Nothing yet.
    pub fn new() -> Report {
        let faults_by_kind = KINDS.iter().map(|kind| ((*kind).to_owned(), 0)).collect();
        Report { faults_by_kind, ..Report::default() }
    }

    /// Adds a run.
    pub fn add(&mut self, job: &Job, outcome: &Outcome) {
        self.seeds += 1;
        self.simulated_s += outcome.simulated.as_secs_f64();
        self.operations += outcome.operations;
        for (kind, count) in &outcome.faults {
            self.faults += count;
            *self.faults_by_kind.entry(kind.clone()).or_default() += count;
        }
        if let Some(violation) = &outcome.violation {
            let length =
                if job.seconds == SECONDS { String::new() } else { format!(" --seconds {}", job.seconds) };
            self.failures.push(format!(
                "--scenario {} --first-seed {} --seeds 1{length}: {} at {:?}: {}",
                outcome.scenario, outcome.seed, violation.invariant, violation.at, violation.text
            ));
        }
    }

    /// Sets how long the runs took.
    pub fn finish(&mut self, real: Duration) {
        self.seeds_per_min = self.seeds as f64 * 60.0 / real.as_secs_f64().max(1e-9);
    }
}

impl fmt::Display for Report {
    /// The line that ends a session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seeds {}, simulated {:.0} s, operations checked {}, faults fired {}, failures {}, seeds/min {:.0}",
            self.seeds,
            self.simulated_s,
            self.operations,
            self.faults,
            self.failures.len(),
            self.seeds_per_min
        )
    }
}
