//! The same seed gives the same trace, another seed another one, in this process and in a new one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use predis_chaos::{run::run, scenario};
use std::{collections::BTreeSet, process::Command};

fn hash(name: &str, seed: u64) -> (u64, u64) {
    let scenario = scenario::named(name).unwrap();
    let outcome = run(scenario, seed, false);
    assert_eq!(outcome.violation, None, "{name} {seed}");
    outcome.trace
}

/// What the simulator's own binary says of a run in each scenario, from this seed on, two at once.
fn told(first_seed: u64) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_predis-chaos"))
        .args(["--all", "--jobs", "2", "--seeds", &scenario::ALL.len().to_string()])
        .args(["--first-seed", &first_seed.to_string()])
        .output()
        .unwrap();
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn every_scenario_repeats_itself_in_another_process() {
    let told = told(7);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), scenario::ALL.len(), "{told}");
    for ((seed, scenario), line) in (7..).zip(scenario::ALL).zip(lines) {
        let (hash, count) = hash(scenario.name, seed);
        let name = scenario.name;
        assert_eq!(line, format!("{name} seed {seed}: held, trace {hash:016x} of {count} lines"));
    }
}

#[test]
fn a_run_repeats_itself_in_the_same_process_whatever_ran_between() {
    let first = hash("everything", 3);
    hash("leader-crash", 4);
    assert_eq!(first, hash("everything", 3));
}

#[test]
fn seeds_differ() {
    let hashes: BTreeSet<_> = (1..=5).map(|seed| hash("leader-crash", seed)).collect();
    assert_eq!(hashes.len(), 5);
}

#[test]
fn a_build_without_the_scheduler_flag_fails_and_says_why() {
    let compile = |flags: &[&str]| {
        let out = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()))
            .args(["--edition", "2024", "--crate-type", "lib", "--crate-name", "flags", "--emit", "metadata"])
            .args(["-o", "/dev/null", concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")])
            .args(flags)
            .output()
            .unwrap();
        assert!(!out.status.success(), "the dependencies are not named here, so this cannot build");
        String::from_utf8_lossy(&out.stderr).contains("the simulator needs --cfg tokio_unstable")
    };
    assert!(compile(&[]));
    assert!(!compile(&["--cfg", "tokio_unstable"]));
}
