//! `predis replay` as a user meets it: arguments, output, exit status. Runs the built command; knows nothing of
//! what is inside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const GOLDEN: &str = "time,key,size\n0,a,10\n1,b,20\n2,c,30\n3,a,10\n4,d,40\n5,a,10\n6,b,20\n7,c,30\n";

/// A folder with the golden trace and its compressed copy.
fn folder() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (plain, compressed) = (folder.path().join("golden.csv"), folder.path().join("golden.csv.zst"));
    std::fs::write(&plain, GOLDEN).unwrap();
    std::fs::write(&compressed, zstd::encode_all(GOLDEN.as_bytes(), 3).unwrap()).unwrap();
    (folder, plain, compressed)
}

fn predis(trace: &Path, args: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_predis"))
        .arg("replay")
        .arg(trace)
        .args(args.split_whitespace())
        .env_remove("PREDIS_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The exit status and what was said about it; nothing may be on standard output.
fn refusal(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[test]
fn the_golden_trace_gives_the_same_from_every_source() {
    let (_folder, plain, compressed) = folder();
    for (trace, args) in [
        (&plain, "--cache-size 3 --policy lru,fifo --json"),
        (&compressed, "--cache-size 75% --policy lru,fifo,lru --json"),
        (&plain, "--cache-size 60% --by bytes --policy lru,fifo --json"),
        (&compressed, "--cache-size 3 --partitions 256 --policy lru,fifo --json"),
    ] {
        let report = json(&predis(trace, args));
        assert_eq!(report["requests"], 8);
        assert_eq!(report["trace"], trace.to_str().unwrap());
        assert_eq!(report["cache_size"], if args.contains("bytes") { 60 } else { 3 });
        let found: Vec<(&str, String, String)> = report["policies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let ratio = |name: &str| format!("{:.6}", row[name].as_f64().unwrap());
                (row["policy"].as_str().unwrap(), ratio("hit_ratio"), ratio("byte_hit_ratio"))
            })
            .collect();
        // 2 and 1 of 8 requests, 20 and 10 of 170 bytes.
        let row = |policy, hit: &str, byte_hit: &str| (policy, hit.to_owned(), byte_hit.to_owned());
        assert_eq!(
            found,
            [row("lru", "0.250000", "0.117647"), row("fifo", "0.125000", "0.058824")],
            "{args}"
        );
    }
}

#[test]
fn a_trace_may_come_from_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_predis"))
        .args(["replay", "-", "--cache-size", "3", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(GOLDEN.as_bytes()).unwrap();
    let report = json(&child.wait_with_output().unwrap());
    assert_eq!((&report["trace"], &report["footprint"]), (&Value::from("-"), &Value::Null));
    let names: Vec<&Value> =
        report["policies"].as_array().unwrap().iter().map(|row| &row["policy"]).collect();
    assert_eq!(names, ["lru", "fifo", "s3fifo"], "all policies unless told otherwise");
    let (status, said) = refusal(&predis(Path::new("-"), "--cache-size 10%"));
    assert_eq!(status, 2);
    assert!(said.contains("standard input"), "{said}");
}

#[test]
fn the_table_is_for_people() {
    let (_folder, plain, _) = folder();
    let output = predis(&plain, "--cache-size 3 --policy fifo");
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert_eq!(rows[2][..6], ["fifo", "0.1250", "0.8750", "0.0588", "8", "4"], "{table}");
    assert!(output.stderr.is_empty(), "no bar where there is no terminal");
}

#[test]
fn wrong_arguments_end_with_status_2_and_the_rule() {
    let (_folder, plain, _) = folder();
    for (args, words) in [
        ("", "--cache-size"),
        ("--cache-size 0", "a whole number from 1"),
        ("--cache-size 101%", "up to 100%"),
        ("--cache-size 1%", "less than 1 of the trace's 4 objects"),
        (
            "--cache-size 3 --policy lru,mru",
            "'mru' for '--policy <NAME,...>'\n  [possible values: lru, fifo, s3fifo]",
        ),
        ("--cache-size 3 --partitions 3", "partitions must be a power of two from 1 to 16384"),
        ("--cache-size 3 --by keys", "[possible values: objects, bytes]"),
    ] {
        let (status, said) = refusal(&predis(&plain, args));
        assert_eq!(status, 2, "{args}: {said}");
        assert!(said.contains(words), "{args}: {said}");
    }
}

#[test]
fn wrong_data_ends_with_status_1_and_says_where() {
    let (folder, _, _) = folder();
    let said_of = |name: &str, text: Option<&str>| {
        let path = folder.path().join(name);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let (status, said) = refusal(&predis(&path, "--cache-size 50%"));
        assert_eq!(status, 1, "{said}");
        said.replace(folder.path().to_str().unwrap(), "")
    };
    let bad = said_of("bad.csv", Some("time,key,size\n0,a,1\n0,b,-1\n"));
    let rule = "must be a whole number of bytes, from 0 to 18446744073709551615";
    assert_eq!(bad, format!("error: /bad.csv:3: size '-1' {rule}\n"));
    let empty = said_of("empty.csv", Some("time,key,size\n"));
    assert_eq!(empty, "error: the trace /empty.csv is empty: no request follows its header\n");
    assert_eq!(said_of("nothing.csv", Some("")), empty.replace("empty.csv", "nothing.csv"));
    let missing = said_of("missing.csv", None);
    assert!(missing.starts_with("error: cannot read the trace /missing.csv: No such file"), "{missing}");
}
