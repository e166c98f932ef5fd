//! `predis demo`: a newcomer's first ninety seconds. Three real nodes, a workload, a death, a recovery, beside what
//! plain caches would have scored.
//!
//! ```text
//!   workload --> headless: one request at a time  --> report
//!            '-> live: many at a time, with a view -'
//!                      |
//!                 cluster (nodes)   shadows (caches)
//! ```
//! Does not know how nodes or policies work.

mod args;
mod client;
mod clock;
mod cluster;
mod generator;
mod headless;
mod journal;
mod live;
mod recovery;
mod report;
mod score;
mod shadows;
mod view;
mod workload;

pub(crate) use args::DemoArgs;

use crate::{failure::Failure, logging, output, stop::Signals};
use anyhow::{Context, anyhow};
use cluster::{Cluster, NODES, Settings};
use headless::{Headless, Kill};
use journal::{Capture, Journal, Weight};
use live::Live;
use report::{Outcome, Report, Run};
use shadows::Shadows;
use std::{sync::Arc, time::Instant};
use tokio::runtime::Runtime;
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};
use workload::{Survey, Workload};

/// Which log lines are events when `PREDIS_LOG` does not say.
const LOGGED: &str = "warn,openraft=off";

/// How often a headless run begins anew because the machine stood still in it.
const ATTEMPTS: u32 = 3;

/// All that is known before a run begins.
struct Demo {
    args: DemoArgs,
    workload: Workload,
    survey: Survey,
    memory_bytes: u64,
    journal: Arc<Journal>,
}

/// Runs the demo and prints what came of it.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let journal = Journal::begin();
    let filter = logging::from_environment(LOGGED)?;
    tracing_subscriber::registry().with(filter).with(Capture(journal.clone())).init();
    let workload = args.workload()?;
    let survey = workload.survey(args.requests(), args.seconds as f64).map_err(Failure::failed)?;
    let memory_bytes = args.memory.unwrap_or_else(|| args::usual_memory(survey.footprint_bytes));
    let demo = Demo { args: args.clone(), workload, survey, memory_bytes, journal };
    let report = if args.is_headless() { demo.headless()? } else { demo.live()? };
    if args.json {
        return output::print(serde_json::to_string(&report).map_err(Failure::failed)?);
    }
    output::print(report)
}

impl Demo {
    /// Without a live view. A run that the machine disturbed is not what its seed promises: it begins anew.
    fn headless(&self) -> Result<Report, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start").map_err(Failure::failed)?;
        let mut attempt = 1;
        loop {
            let report = self.attempt(&runtime)?;
            if !report.measured.disturbed || attempt == ATTEMPTS {
                return Ok(report);
            }
            attempt += 1;
            self.journal.note(Weight::Bad, "the machine stood still: once more from the beginning");
        }
    }

    /// With a live view.
    fn live(&self) -> Result<Report, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start").map_err(Failure::failed)?;
        let seconds = self.args.seconds as f64;
        let (mut cluster, boot_seconds) = self.boot(&runtime, false)?;
        let placed = cluster.watch().look();
        let live = Live {
            cluster: &mut cluster,
            source: self.workload.open(self.survey.requests, seconds).map_err(Failure::failed)?,
            shadows: self.shadows(),
            policy: self.args.policy,
            seconds,
            has_days: matches!(self.workload, Workload::Generated { .. }),
            victim: self.args.victim(),
            journal: &self.journal,
        };
        let ran = live.run();
        cluster.stop();
        let mut outcome = ran?;
        outcome.measured.boot_seconds = boot_seconds;
        Ok(Report::new(&self.told("live", &placed), outcome))
    }

    fn attempt(&self, runtime: &Runtime) -> Result<Report, Failure> {
        let mut signals = runtime.block_on(async { Signals::install() }).map_err(Failure::failed)?;
        let (mut cluster, boot_seconds) = self.boot(runtime, true)?;
        let placed = cluster.watch().look();
        let source = self.workload.open(self.survey.requests, self.args.seconds as f64);
        let headless = Headless {
            cluster: &mut cluster,
            source: source.map_err(Failure::failed)?,
            requests: self.survey.requests,
            shadows: self.shadows(),
            kill: Kill { index: self.args.victim(), after_requests: self.survey.requests / 2 },
            journal: &self.journal,
        };
        let ran = runtime.block_on(async {
            tokio::select! {
                ran = headless.run() => ran,
                signal = signals.next() => Err(Failure::failed(anyhow!("stopped by {signal}"))),
            }
        });
        cluster.stop();
        let mut outcome: Outcome = ran?;
        outcome.measured.boot_seconds = boot_seconds;
        Ok(Report::new(&self.told("headless", &placed), outcome))
    }

    /// The cluster, and how long it took to come up.
    fn boot(&self, runtime: &Runtime, distinct_ticks: bool) -> Result<(Cluster, f64), Failure> {
        let (policy, seed) = (self.args.policy, self.args.seed);
        let settings = Settings { policy, memory_bytes: self.memory_bytes, seed, distinct_ticks };
        let began = Instant::now();
        let up = |name: &str| self.journal.note(Weight::Good, format!("{name} is up"));
        let cluster = Cluster::boot(&settings, runtime, up)?;
        Ok((cluster, began.elapsed().as_secs_f64()))
    }

    fn shadows(&self) -> Shadows {
        Shadows::new(self.memory_bytes * NODES as u64)
    }

    fn told<'a>(&self, mode: &'static str, placed: &'a cluster::Look) -> Run<'a> {
        Run {
            mode,
            seed: self.args.seed,
            source: self.workload.name(),
            survey: self.survey,
            policy: self.args.policy,
            memory_bytes: self.memory_bytes,
            placed,
        }
    }
}
