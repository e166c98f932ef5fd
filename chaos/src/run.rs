//! One run: a scenario under a seed, judged after every tick, to its end or to the first complaint.
//!
//! ```text
//! scripts of faults --> heal everything --> calm --> workloads finish --> settled, within a limit
//! ```

use crate::{
    invariant::{self, Invariant},
    oracle::{Oracle, lock},
    scenario::{self, Scenario},
    world::{self, World},
};
use predis_types::{
    SplitMix64, mix64,
    planted::{self, Bug},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long a run is unless told, in simulated seconds.
pub const SECONDS: u64 = 6;
/// How much of it is not under faults: the calm after them, and coming to rest.
const REST: Duration = Duration::from_secs(2);
/// What is too little time for another script.
const SHORTEST_SCRIPT: Duration = Duration::from_secs(2);
/// How long the workloads go on after everything has healed.
const CALM: Duration = Duration::from_millis(1_000);
/// How long the cluster may take to come to rest after that.
const SETTLE: Duration = Duration::from_secs(15);
/// How many operations a run must have answered.
const LEAST_OPERATIONS: u64 = 100;
/// How often it is asked whether it has.
const ASK_EVERY_TICKS: u64 = 50;

/// What came of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The invariant that complained, when in simulated time, and how.
    pub violation: Option<Violation>,
    /// The trace's hash and length.
    pub trace: (u64, u64),
    /// How much time was simulated.
    pub simulated: Duration,
    /// Operations of clients that were checked.
    pub operations: u64,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
    /// The trace itself, if it was asked for.
    pub text: Vec<String>,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: String,
    /// When, in simulated time.
    pub at: Duration,
    /// What does not hold.
    pub text: String,
}

/// Runs a scenario under a seed, judged by every invariant.
pub fn run(scenario: Scenario, seed: u64, keep_trace: bool) -> Outcome {
    run_for(scenario, seed, SECONDS, keep_trace)
}

/// Runs a scenario under a seed for about so many simulated seconds, judged by every invariant. It takes longer if
/// the last of its scripts does.
pub fn run_for(scenario: Scenario, seed: u64, seconds: u64, keep_trace: bool) -> Outcome {
    judged(scenario, (seed, seconds), keep_trace, None, |name| !scenario.excuses.contains(&name))
}

/// Runs a scenario with a bug planted, judged by the named invariants alone: one that complains earlier would
/// hide whether they notice at all.
pub fn run_planted(scenario: Scenario, seed: u64, keep_trace: bool, bug: Bug, by: &[&str]) -> Outcome {
    judged(scenario, (seed, SECONDS), keep_trace, Some(bug), |name| by.contains(&name))
}

fn judged(
    scenario: Scenario,
    (seed, seconds): (u64, u64),
    keep_trace: bool,
    bug: Option<Bug>,
    by: impl Fn(&str) -> bool,
) -> Outcome {
    let _only = world::align();
    planted::plant(bug);
    let oracle: Arc<Mutex<Arc<Mutex<Oracle>>>> = Arc::default();
    let seen = oracle.clone();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mut run = Run::new(seed, &by);
        *seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = run.world.oracle();
        if keep_trace {
            lock(&run.world.oracle()).trace().keep();
        }
        let violation = run.play(scenario, seed, Duration::from_secs(seconds)).err();
        (violation, run.world.elapsed())
    }));
    planted::plant(None);
    let (violation, simulated) = ran.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let text = text.unwrap_or_else(|| "a panic without words".to_owned());
        (Some(Violation { invariant: "no-panic".to_owned(), at: Duration::ZERO, text }), Duration::ZERO)
    });
    let oracle = oracle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let mut oracle = lock(&oracle);
    Outcome {
        scenario: scenario.name.to_owned(),
        seed,
        violation,
        trace: (oracle.trace().hash(), oracle.trace().lines()),
        simulated,
        operations: oracle.operations(),
        faults: oracle.faults().clone(),
        text: oracle.trace().text().to_vec(),
    }
}

struct Run {
    world: World,
    oracle: Arc<Mutex<Oracle>>,
    invariants: Vec<Box<dyn Invariant>>,
}

impl Run {
    fn new(seed: u64, by: impl Fn(&str) -> bool) -> Run {
        let world = World::new(seed);
        let oracle = world.oracle();
        let invariants = invariant::all().into_iter().filter(|invariant| by(invariant.name())).collect();
        Run { world, oracle, invariants }
    }

    fn play(&mut self, scenario: Scenario, seed: u64, length: Duration) -> Result<(), Violation> {
        scenario::begin(&mut self.world, scenario.nodes);
        let mut rng = SplitMix64::new(mix64(seed ^ 0x7363_7269_7074));
        let trouble = length.saturating_sub(REST);
        loop {
            let began = self.world.elapsed();
            let mut script = (scenario.script)(&mut rng, scenario.nodes);
            script.sort_by_key(|(time, _)| *time);
            for (time, action) in script {
                self.until(began + time)?;
                action(&mut self.world);
            }
            if self.world.elapsed() + SHORTEST_SCRIPT > trouble {
                break;
            }
        }
        self.until(trouble)?;
        self.world.heal();
        self.until(self.world.elapsed() + CALM)?;
        lock(&self.oracle).hush();
        self.settle()
    }

    fn settle(&mut self) -> Result<(), Violation> {
        let limit = self.world.elapsed() + SETTLE;
        loop {
            for _ in 0..ASK_EVERY_TICKS {
                self.tick()?;
            }
            let asked = self.invariants.iter().find_map(|invariant| {
                let missing = invariant.settled(&self.world).err()?;
                Some((invariant.name(), missing))
            });
            match asked {
                None if self.world.clients_done() => return self.end(),
                None if self.world.elapsed() >= limit => {
                    let text = format!("clients have not read everything back {SETTLE:?} after the end");
                    return Err(self.violation("clients-finish", text));
                }
                None => {}
                Some((name, missing)) if self.world.elapsed() >= limit => {
                    let text = format!("not at rest {SETTLE:?} after everything healed: {missing}");
                    return Err(self.violation(name, text));
                }
                Some(_) => {}
            }
        }
    }

    fn end(&mut self) -> Result<(), Violation> {
        let judged = self.invariants.iter_mut().find_map(|invariant| {
            let complaint = invariant.end().err()?;
            Some((invariant.name(), complaint))
        });
        match judged {
            Some((name, text)) => Err(self.violation(name, text)),
            None => self.check_progress(),
        }
    }

    /// A run in which hardly anything was answered proves nothing.
    fn check_progress(&self) -> Result<(), Violation> {
        let operations = lock(&self.oracle).operations();
        if operations >= LEAST_OPERATIONS {
            return Ok(());
        }
        Err(self.violation("progress", format!("only {operations} operations were answered")))
    }

    fn until(&mut self, time: Duration) -> Result<(), Violation> {
        while self.world.elapsed() < time {
            self.tick()?;
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Violation> {
        self.world.step().map_err(|text| self.violation("nodes-run", text))?;
        let entries = lock(&self.oracle).take();
        let complaint = self.invariants.iter_mut().find_map(|invariant| {
            let looked = invariant.look(&self.world);
            let judged = looked.and_then(|()| entries.iter().try_for_each(|entry| invariant.observe(entry)));
            Some((invariant.name(), judged.err()?))
        });
        match complaint {
            None => Ok(()),
            Some((name, text)) => Err(self.violation(name, text)),
        }
    }

    fn violation(&self, invariant: &str, text: String) -> Violation {
        Violation { invariant: invariant.to_owned(), at: self.world.elapsed(), text }
    }
}
