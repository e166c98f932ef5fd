//! `predis demo` without a terminal, as a user meets it: its report, that a seed repeats it, what it refuses. Runs the
//! built command; knows nothing of what is inside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::process::{Command, Output, Stdio};

fn demo(args: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_predis"))
        .arg("demo")
        .args(args.split_whitespace())
        .env_remove("PREDIS_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A report, and what the clock measured of it.
fn report(args: &str) -> (Value, Value) {
    let output = demo(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for part in ["node-3 is up", "is killed, with", "every slot is served again"] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let measured = report.as_object_mut().unwrap().remove("measured").unwrap();
    assert_eq!(measured["disturbed"], false, "the machine stood still in every attempt:\n{said}");
    (report, measured)
}

/// The names of an object's fields, sorted.
fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_seed_gives_one_report_and_the_cluster_recovers() {
    let (first, measured) = report("--json --seconds 2 --rate 1000 --seed 7");
    let (second, _) = report("--json --seconds 2 --rate 1000 --seed 7");
    assert_eq!(first, second, "everything but what is measured repeats");

    assert_eq!(
        fields(&first),
        [
            "cluster",
            "hit_ratio",
            "hits",
            "kill",
            "mode",
            "requests",
            "seed",
            "shadows",
            "windows",
            "workload"
        ]
    );
    let measures = [
        "boot_seconds",
        "disturbed",
        "latency_us",
        "recovery_seconds",
        "requests_per_second",
        "retries",
        "seconds",
        "unserved",
    ];
    assert_eq!(fields(&measured), measures);
    assert_eq!((&first["mode"], &first["requests"]), (&"headless".into(), &2000.into()));
    let policies: Vec<&Value> =
        first["shadows"].as_array().unwrap().iter().map(|shadow| &shadow["policy"]).collect();
    assert_eq!(policies, ["lru", "fifo", "s3fifo"]);
    assert!(first["shadows"].as_array().unwrap().iter().all(|shadow| shadow["hits"].as_u64().unwrap() > 0));

    // The victim had its share, and the other two share what was its own.
    let total = |partitions: &Value| -> u64 {
        partitions.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum()
    };
    let kill = &first["kill"];
    assert_eq!((total(&first["cluster"]["partitions"]), total(&kill["partitions"])), (256, 256));
    assert_eq!(kill["partitions_lost"], first["cluster"]["partitions"][2]);
    assert_eq!((&kill["after_requests"], &kill["partitions"][2]), (&1000.into(), &0.into()));
    assert!(kill["keys_lost"].as_u64().unwrap() > 0);
    assert!(measured["recovery_seconds"].as_f64().unwrap() > 0.0);
    assert!(measured["retries"].as_u64().unwrap() > 0, "somebody asked while nobody served");
    let windows = first["windows"].as_array().unwrap();
    assert_eq!(windows.iter().map(|window| window["requests"].as_u64().unwrap()).sum::<u64>(), 2000);

    // Another seed is another run.
    let (other, _) = report("--json --seconds 1 --rate 1000 --seed 8 --policy lru --kill 2 --memory 64kb");
    assert_eq!((&other["kill"]["node"], &other["cluster"]["policy"]), (&"node-2".into(), &"lru".into()));
    assert_ne!(other["hits"], first["hits"]);
}

#[test]
fn a_trace_is_asked_for_and_summed_up() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lines: String = (0..400).map(|t| format!("{t},k{},{}\n", t * 7 % 90, 100 + t % 5)).collect();
    std::fs::write(file.path(), format!("time,key,size\n{lines}")).unwrap();
    let output = demo(&format!("--headless --trace {} --seconds 1", file.path().display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = String::from_utf8(output.stdout).unwrap();
    for part in [
        "400 requests in ",
        "cluster, s3fifo   0.",
        "lru alone         0.",
        "was killed after 200 requests",
        "Next:",
    ] {
        assert!(summary.contains(part), "{part:?} is missing in:\n{summary}");
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_starts() {
    for (args, status, rule) in [
        ("--headless --memory 1kb", 2, "at least 65536 bytes"),
        ("--headless --seconds 0", 2, "1..=86400"),
        ("--headless --rate 0", 2, "1..=1000000"),
        ("--headless --kill 4", 2, "1..=3"),
        ("--headless --policy mru", 2, "lru, fifo, s3fifo"),
        ("--headless --trace -", 2, "give a file"),
        ("--headless --trace /nowhere/trace.csv", 1, "/nowhere/trace.csv"),
    ] {
        let output = demo(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args}: {said}");
        assert!(said.contains(rule), "{args}: {said}");
        assert!(!said.contains("is up") && output.stdout.is_empty(), "{args}: {said}");
    }
}
