//! `predis replay`: runs a trace through the policy and shard code of a node and says how much of it hits.
//!
//! ```text
//!   [footprint pass, for a size in percent]
//!   trace --batch--> cache under policy 1, cache under policy 2, ... --> report
//! ```
//! All policies see each batch in turn, so the trace is read once, and the time each takes is its own. Does not
//! know how a policy decides.

mod args;
mod cache_size;
mod error;
mod report;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) use args::ReplayArgs;
use cache_size::CacheSize;
use error::ReplayError;
use report::{PolicyReport, Report};

use crate::cache::Cache;
use crate::failure::Failure;
use crate::footprint::Footprint;
use crate::trace::{Request, Trace, is_standard_input};

/// Replays the trace and prints the result on standard output.
pub(crate) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let report = replay(args)?;
    let text = if args.json {
        serde_json::to_string(&report).map(|json| json + "\n").map_err(Failure::failed)?
    } else {
        report.to_string()
    };
    let written = io::stdout().lock().write_all(text.as_bytes());
    written.context("cannot write the result").map_err(Failure::failed)
}

/// Replays the trace.
fn replay(args: &ReplayArgs) -> Result<Report, ReplayError> {
    let (cache_size, footprint) = match args.cache_size {
        CacheSize::Absolute(size) => (size, None),
        CacheSize::Share(share) => {
            let footprint = footprint(args)?;
            (share.of(footprint), Some(footprint))
        }
    };
    if cache_size == 0 {
        return Err(ReplayError::NothingFits { footprint: footprint.unwrap_or(0), unit: args.by });
    }
    let mut runs: Vec<Run> =
        args.policies().into_iter().map(|kind| Run::new(kind, args, cache_size)).collect();
    let requests = for_each_batch(args, "replaying", |batch| {
        runs.iter_mut().for_each(|run| run.take(batch));
    })?;
    Ok(Report {
        trace: args.trace.display().to_string(),
        requests,
        cache_size,
        policies: runs.iter().map(Run::report).collect(),
        by: args.by,
        partitions: args.partitions.get(),
        footprint,
    })
}

/// One policy's cache and the time it took.
struct Run {
    cache: Cache,
    took: Duration,
}

impl Run {
    fn new(kind: predis_policy::PolicyKind, args: &ReplayArgs, cache_size: u64) -> Self {
        Run { cache: Cache::new(kind, args.by.cost(), cache_size, args.partitions), took: Duration::ZERO }
    }

    fn take(&mut self, batch: &[Request]) {
        let began = Instant::now();
        batch.iter().for_each(|request| self.cache.request(request));
        self.took += began.elapsed();
    }

    fn report(&self) -> PolicyReport {
        PolicyReport::new(self.cache.policy(), &self.cache.tally(), self.took)
    }
}

/// All that the trace asks for, in the unit asked for.
fn footprint(args: &ReplayArgs) -> Result<u64, ReplayError> {
    if is_standard_input(&args.trace) {
        return Err(ReplayError::ShareOfStandardInput);
    }
    let mut footprint = Footprint::new(args.by.cost());
    for_each_batch(args, "measuring", |batch| batch.iter().for_each(|request| footprint.count(request)))?;
    Ok(footprint.total())
}

/// Reads the trace from its beginning to its end; how many requests it has, which is at least one.
fn for_each_batch(
    args: &ReplayArgs,
    doing: &'static str,
    mut work: impl FnMut(&[Request]),
) -> Result<u64, ReplayError> {
    let bar = progress(doing);
    let mut trace = Trace::open(&args.trace, &bar)?;
    let (mut batch, mut requests) = (Vec::new(), 0);
    loop {
        trace.next_batch(&mut batch)?;
        if batch.is_empty() {
            break;
        }
        requests += batch.len() as u64;
        work(&batch);
    }
    bar.finish_and_clear();
    if requests == 0 { Err(trace.empty().into()) } else { Ok(requests) }
}

/// A bar on standard error, which shows nothing when that is no terminal.
fn progress(doing: &'static str) -> ProgressBar {
    let template = "{msg} {bar:40} {binary_bytes} of {binary_total_bytes}, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.with_style(style).with_message(doing)
}
