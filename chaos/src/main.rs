//! The chaos suite's command line.

use clap::Parser;
use predis_chaos::{
    hunt::hunt,
    jobs::{self, Job},
    report::Report,
    run::{Outcome, SECONDS},
    scenario,
};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// How often a long session says how far it has come.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Runs the real nodes in a simulated world and breaks it, reproducibly: one seed, one trace.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// How many seeds to run; with --all they are dealt out over the scenarios in turn.
    #[arg(long, default_value_t = 40)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// About how long a run is, in simulated seconds; longer if its script is.
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(4..=3000))]
    seconds: u64,
    /// Only this scenario.
    #[arg(long, conflicts_with = "all")]
    scenario: Option<String>,
    /// All scenarios in turn (the default).
    #[arg(long)]
    all: bool,
    /// Plant each bug in turn and fail if one is not caught: its stored seed first, then --seeds more.
    #[arg(long)]
    planted: bool,
    /// With --planted: try all seeds on each bug, and count those that catch it.
    #[arg(long, requires = "planted")]
    every_seed: bool,
    /// How many runs to make at once, each in a process of its own.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Print the trace of every run.
    #[arg(long)]
    trace: bool,
    /// Show what the nodes log, as RUST_LOG filters it.
    #[arg(long)]
    log: bool,
    /// Print the report as JSON instead of the last line.
    #[arg(long)]
    json: bool,
    /// Say how far it has come every ten seconds, instead of a line for every run.
    #[arg(long)]
    progress: bool,
    /// Make the runs asked for on standard input.
    #[arg(long, hide = true)]
    worker: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.log {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
    if args.worker {
        return match jobs::work() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        };
    }
    if args.planted { planted(&args) } else { scenarios(&args) }
}

fn scenarios(args: &Args) -> ExitCode {
    let chosen = match &args.scenario {
        None => scenario::ALL.to_vec(),
        Some(name) => match scenario::named(name) {
            Some(scenario) => vec![scenario],
            None => {
                let names: Vec<_> = scenario::ALL.iter().map(|scenario| scenario.name).collect();
                eprintln!("error: --scenario {name}: must be one of {}", names.join(", "));
                return ExitCode::from(2);
            }
        },
    };
    let jobs: Vec<Job> = (args.first_seed..)
        .zip(chosen.iter().cycle())
        .take(args.seeds as usize)
        .map(|(seed, scenario)| Job {
            scenario: scenario.name.to_owned(),
            seed,
            seconds: args.seconds,
            trace: args.trace,
            planted: None,
        })
        .collect();
    let mut watch = Watch::new(args, jobs.len());
    let mut report = Report::new();
    jobs::run_all(&jobs, args.jobs, |job, outcome| {
        watch.seen(&outcome);
        report.add(job, &outcome);
    });
    report.finish(watch.began.elapsed());
    report.failures.iter().for_each(|failure| eprintln!("{failure}"));
    if args.json {
        println!("{}", serde_json::to_string(&report).unwrap_or_default());
    } else {
        report.failures.iter().for_each(|failure| println!("{failure}"));
        println!("{report}");
    }
    if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn planted(args: &Args) -> ExitCode {
    let seeds: Vec<u64> = (args.first_seed..args.first_seed + args.seeds).collect();
    let mut watch = Watch::new(args, 0);
    let hunted = hunt(&seeds, args.every_seed, args.trace, args.jobs, |outcome| watch.seen(outcome));
    let missed = hunted.iter().filter(|case| case.caught == 0).count();
    if args.json {
        println!("{}", serde_json::to_string(&hunted).unwrap_or_default());
        return if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    for case in &hunted {
        let (bug, caught, runs, text) = (&case.bug, case.caught, case.runs, &case.text);
        match case.seed {
            Some(seed) => {
                println!("{bug}: caught in {caught} of {runs} runs, first under seed {seed}: {text}")
            }
            None => {
                let (meant, scenario) = (case.invariants.join(" or "), &case.scenario);
                println!("{bug}: NOT CAUGHT by {meant} in {runs} runs of {scenario}: {text}");
            }
        }
    }
    let (runs, seconds) = (hunted.iter().map(|case| case.runs).sum::<u64>(), watch.began.elapsed().as_secs());
    println!("planted {}, not caught {missed}, runs {runs}, seconds {seconds}", hunted.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells whoever waits what has come of the runs so far.
struct Watch {
    began: Instant,
    told: Instant,
    progress: bool,
    planted: bool,
    runs: usize,
    of: usize,
    failed: usize,
}

impl Watch {
    fn new(args: &Args, of: usize) -> Watch {
        let (began, told) = (Instant::now(), Instant::now());
        Watch { began, told, progress: args.progress, planted: args.planted, runs: 0, of, failed: 0 }
    }

    fn seen(&mut self, outcome: &Outcome) {
        outcome.text.iter().for_each(|line| println!("{line}"));
        self.runs += 1;
        self.failed += usize::from(outcome.violation.is_some());
        if self.progress {
            self.tell();
        } else if !self.planted {
            let (hash, lines) = outcome.trace;
            let held = if outcome.violation.is_none() { "held" } else { "FAILED" };
            let (scenario, seed) = (&outcome.scenario, outcome.seed);
            eprintln!("{scenario} seed {seed}: {held}, trace {hash:016x} of {lines} lines");
        }
    }

    fn tell(&mut self) {
        if self.told.elapsed() < PROGRESS_EVERY {
            return;
        }
        self.told = Instant::now();
        let (runs, failed, seconds) = (self.runs, self.failed, self.began.elapsed().as_secs_f64());
        let rate = runs as f64 * 60.0 / seconds;
        let of = if self.of > 0 { format!(" of {}", self.of) } else { String::new() };
        let complained = if self.planted { "caught" } else { "failed" };
        eprintln!("{runs}{of} runs, {failed} {complained}, {seconds:.0} s, {rate:.0} a minute");
    }
}
