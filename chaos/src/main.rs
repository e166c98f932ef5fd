//! The chaos suite's command line.

use clap::Parser;
use predis_chaos::{
    planted::CASES,
    report::Report,
    run::{run, run_planted},
    scenario,
};
use std::{process::ExitCode, time::Instant};

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
    /// Only this scenario.
    #[arg(long, conflicts_with = "all")]
    scenario: Option<String>,
    /// All scenarios in turn (the default).
    #[arg(long)]
    all: bool,
    /// Plant each bug in turn and fail if one is not caught: its stored seed first, then --seeds more.
    #[arg(long)]
    planted: bool,
    /// Print the trace of every run.
    #[arg(long)]
    trace: bool,
    /// Show what the nodes log, as RUST_LOG filters it.
    #[arg(long)]
    log: bool,
    /// Print the report as JSON instead of the last line.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.log {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
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
    let begun = Instant::now();
    let mut report = Report::default();
    for (seed, scenario) in (args.first_seed..).zip(chosen.iter().cycle()).take(args.seeds as usize) {
        let outcome = run(*scenario, seed, args.trace);
        outcome.text.iter().for_each(|line| println!("{line}"));
        let (hash, lines) = outcome.trace;
        let held = if outcome.violation.is_none() { "held" } else { "FAILED" };
        eprintln!("{} seed {seed}: {held}, trace {hash:016x} of {lines} lines", scenario.name);
        report.add(&outcome);
    }
    report.finish(begun.elapsed());
    report.failures.iter().for_each(|failure| println!("{failure}"));
    if args.json {
        println!("{}", serde_json::to_string(&report).unwrap_or_default());
    } else {
        println!("{report}");
    }
    if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn planted(args: &Args) -> ExitCode {
    let begun = Instant::now();
    let (mut tried, mut missed) = (0, 0);
    for case in CASES {
        let seeds = std::iter::once(case.seed).chain(args.first_seed..args.first_seed + args.seeds);
        let caught = seeds.into_iter().find_map(|seed| {
            tried += 1;
            let outcome = run_planted(case.scenario(), seed, args.trace, case.bug, case.invariants);
            outcome.text.iter().for_each(|line| println!("{line}"));
            outcome.violation.map(|violation| (seed, violation))
        });
        match caught {
            Some((seed, violation)) if case.invariants.contains(&violation.invariant.as_str()) => {
                println!(
                    "{:?}: caught by {} under seed {seed}: {}",
                    case.bug, violation.invariant, violation.text
                );
            }
            Some((seed, violation)) => {
                missed += 1;
                println!(
                    "{:?}: {} complained under seed {seed}, {:?} should have: {}",
                    case.bug, violation.invariant, case.invariants, violation.text
                );
            }
            None => {
                missed += 1;
                println!("{:?}: NOT CAUGHT in {} by any seed tried", case.bug, case.scenario);
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("planted {}, not caught {missed}, runs {tried}, seconds {seconds:.0}", CASES.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
