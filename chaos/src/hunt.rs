//! The hunt for planted bugs: is each noticed, by an invariant that is meant to, and under how many seeds?

use crate::{
    jobs::{Job, run_all},
    planted::CASES,
    run::{Outcome, SECONDS},
};
use serde::Serialize;

/// What came of one planted case.
#[derive(Clone, Debug, Serialize)]
pub struct Hunted {
    /// The bug.
    pub bug: String,
    /// The scenario that shows it.
    pub scenario: String,
    /// The invariants that judge.
    pub invariants: Vec<String>,
    /// Runs made.
    pub runs: u64,
    /// Runs in which one of them complained.
    pub caught: u64,
    /// The first seed under which one did.
    pub seed: Option<u64>,
    /// What it said, or what else went wrong first.
    pub text: String,
}

/// Plants every case in turn, under its stored seed and then, until it is caught, under the others; under all of
/// them if `every`. `jobs` runs are made at once.
pub fn hunt(
    seeds: &[u64],
    every: bool,
    trace: bool,
    jobs: usize,
    mut seen: impl FnMut(&Outcome),
) -> Vec<Hunted> {
    let mut hunted: Vec<Hunted> = CASES
        .iter()
        .map(|case| Hunted {
            bug: format!("{:?}", case.bug),
            scenario: case.scenario.to_owned(),
            invariants: case.invariants.iter().map(|&name| name.to_owned()).collect(),
            runs: 0,
            caught: 0,
            seed: None,
            text: "nobody complained".to_owned(),
        })
        .collect();
    let job = |case: usize, seed: u64| Job {
        scenario: CASES[case].scenario.to_owned(),
        seed,
        seconds: SECONDS,
        trace,
        planted: Some(case),
    };
    let mut round = |hunted: &mut Vec<Hunted>, jobs_of: Vec<Job>| {
        run_all(&jobs_of, jobs, |job, outcome| {
            if let Some(hunted) = job.planted.and_then(|case| hunted.get_mut(case)) {
                hunted.add(&outcome);
            }
            seen(&outcome);
        });
    };
    round(&mut hunted, (0..CASES.len()).map(|case| job(case, CASES[case].seed)).collect());
    if every {
        let all = (0..CASES.len()).flat_map(|case| seeds.iter().map(move |seed| job(case, *seed))).collect();
        round(&mut hunted, all);
    } else {
        for seed in seeds {
            let open = (0..CASES.len()).filter(|case| hunted[*case].caught == 0);
            let open: Vec<Job> = open.map(|case| job(case, *seed)).collect();
            round(&mut hunted, open);
        }
    }
    hunted
}

impl Hunted {
    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        let Some(violation) = &outcome.violation else { return };
        let meant = self.invariants.contains(&violation.invariant);
        if meant {
            self.caught += 1;
        }
        if self.seed.is_none() {
            self.text = format!("{}: {}", violation.invariant, violation.text);
            self.seed = meant.then_some(outcome.seed);
        }
    }
}
