//! `cargo xtask long`: the long run of the simulator, hours of it, and what it amounts to.
//!
//! Owns the lengths and the report. What a run is, what fails, and which faults there are is the simulator's.

mod report;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use report::{Hunted, Long, Runs};
use serde::de::DeserializeOwned;

use crate::tree;

/// Seeds under which every planted bug is tried.
const PLANTED_SEEDS: u64 = 200;

/// Simulated seconds of a short and of a long run.
const SHORT_S: u64 = 6;
const LONG_S: u64 = 60;

/// Where the seeds of long runs begin, so that they are others than those of the short ones.
const LONG_FROM: u64 = 1_000_001;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    seeds: u64,
    long_seeds: u64,
    planted_seeds: u64,
    jobs: u64,
    json: bool,
}

impl Options {
    fn parse(flags: &[String]) -> Result<Options, String> {
        let jobs = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        let mut options =
            Options { seeds: 10_000, long_seeds: 500, planted_seeds: PLANTED_SEEDS, jobs, json: false };
        let mut flags = flags.iter();
        while let Some(flag) = flags.next() {
            let target = match flag.as_str() {
                "--json" => {
                    options.json = true;
                    continue;
                }
                "--seeds" => &mut options.seeds,
                "--long-seeds" => &mut options.long_seeds,
                "--planted-seeds" => &mut options.planted_seeds,
                "--jobs" => &mut options.jobs,
                unknown => return Err(format!("unknown flag '{unknown}'")),
            };
            let value = flags.next().ok_or_else(|| format!("{flag} takes a number"))?;
            *target = value.parse().map_err(|_| format!("{flag} takes a number, not '{value}'"))?;
        }
        if options.jobs == 0 {
            return Err("--jobs must be at least 1".to_owned());
        }
        Ok(options)
    }
}

/// Whether the flags are ones that this chore knows.
pub(crate) fn check(flags: &[String]) -> Result<(), String> {
    Options::parse(flags).map(drop)
}

/// Builds the simulator once, runs it, and tells what came of it; answers whether all is well.
pub(crate) fn run(flags: &[String]) -> anyhow::Result<bool> {
    let options = Options::parse(flags).map_err(anyhow::Error::msg)?;
    let root = tree::root()?;
    let binary = build(&root)?;
    let (jobs, number) = (options.jobs.to_string(), |number: u64| number.to_string());
    let (short_s, long_s, from) = (number(SHORT_S), number(LONG_S), number(LONG_FROM));
    let ask = |what: &str, flags: &[&str]| {
        eprintln!("{what}");
        let common = ["--json", "--progress", "--jobs", &jobs];
        answer(&binary, &[&common[..], flags].concat())
    };
    let runs = |answer: String| parsed::<Runs>(&answer);
    let seeds = number(options.seeds);
    let short = ask("short runs", &["--all", "--seeds", &seeds, "--seconds", &short_s]).and_then(runs)?;
    let seeds = number(options.long_seeds);
    let long = ["--all", "--seeds", &seeds, "--seconds", &long_s, "--first-seed", &from];
    let long = ask("long runs", &long).and_then(runs)?;
    let seeds = number(options.planted_seeds);
    let planted = ask("planted bugs", &["--planted", "--every-seed", "--seeds", &seeds])?;
    let planted = parsed::<Vec<Hunted>>(&planted)?;
    let report = Long { short, long, planted };
    if options.json {
        println!("{}", report.json()?);
    } else {
        print!("{}", report.markdown());
    }
    Ok(report.complaints().is_empty())
}

/// Builds the simulator as long runs want it, and says where it is.
fn build(root: &Path) -> anyhow::Result<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let flags = ["build", "--profile", "sim", "--locked", "-p", "predis-chaos", "--message-format", "json"];
    let built = Command::new(cargo)
        .args(flags)
        .current_dir(root)
        // It would silently override the flag without which the simulator does not compile.
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo build")?;
    if !built.status.success() {
        bail!("the simulator does not build");
    }
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let executable = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut executable =
        executable.filter_map(|message| message.get("executable")?.as_str().map(str::to_owned));
    executable.next_back().context("cargo did not say what it built")
}

/// What the simulator answers on standard output. That something did not hold is part of the answer.
fn answer(binary: &str, flags: &[&str]) -> anyhow::Result<String> {
    let command = || format!("{binary} {}", flags.join(" "));
    let said = Command::new(binary)
        .args(flags)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(command)?;
    match said.status.code() {
        Some(0 | 1) => Ok(String::from_utf8(said.stdout)?),
        _ => bail!("{} ended with {}", command(), said.status),
    }
}

fn parsed<T: DeserializeOwned>(answer: &str) -> anyhow::Result<T> {
    serde_json::from_str(answer).context("the simulator's report")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Options, String> {
        Options::parse(&flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn numbers_follow_their_flags() {
        let options = parse(&["--seeds", "40", "--jobs", "3", "--json"]).unwrap();
        assert_eq!((options.seeds, options.jobs, options.json), (40, 3, true));
        assert_eq!((options.long_seeds, options.planted_seeds), (500, PLANTED_SEEDS));
        for wrong in [&["--seeds"][..], &["--seeds", "many"], &["--jobs", "0"], &["--sedes", "4"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
