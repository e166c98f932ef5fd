//! Plays every script in `tests/golden/scripts` and compares what came of it with what is written there.
//!
//! `PREDIS_BLESS=1` writes the files anew; the difference is then for a reviewer to judge.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod script;

use std::{fs, path::PathBuf};

#[test]
fn scripts_come_out_as_written() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scripts");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 6, "scripts are missing");
    let mut wrong = Vec::new();
    for path in paths {
        let written = fs::read_to_string(&path).unwrap();
        let played = script::run(&written);
        if played == written {
            continue;
        }
        if std::env::var_os("PREDIS_BLESS").is_some() {
            fs::write(&path, played).unwrap();
        } else {
            let line = played.lines().zip(written.lines()).position(|(a, b)| a != b).unwrap_or_default();
            let (now, then) = (played.lines().nth(line), written.lines().nth(line));
            wrong.push(format!("{} line {}:\n  now  {now:?}\n  then {then:?}", path.display(), line + 1));
        }
    }
    assert!(wrong.is_empty(), "{}\nPREDIS_BLESS=1 accepts it", wrong.join("\n"));
}
