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

#[test]
fn every_scenario_repeats_itself_under_its_seed() {
    for scenario in scenario::ALL {
        assert_eq!(hash(scenario.name, 7), hash(scenario.name, 7), "{}", scenario.name);
    }
}

#[test]
fn seeds_differ() {
    let hashes: BTreeSet<_> = (1..=5).map(|seed| hash("leader-crash", seed)).collect();
    assert_eq!(hashes.len(), 5);
}

#[test]
fn another_process_sees_the_same_trace() {
    let (hash, lines) = hash("power-loss", 3);
    let out = Command::new(env!("CARGO_BIN_EXE_predis-chaos"))
        .args(["--scenario", "power-loss", "--first-seed", "3", "--seeds", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains(&format!("trace {hash:016x} of {lines} lines")), "{said}");
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
