//! Judges a recorded history: `cargo run -p predis-chaos --example check-history FILE`.
//!
//! The file has one JSON object a line; `predis_chaos::checker::Record` says what is in it. Prints every key whose
//! history is not linearizable, or was not decided, and a line that sums up. Exit status 0 when every key's history is
//! linearizable, 1 when not, 2 when the file cannot be read.

use predis_chaos::checker::{Operation, Record, Verdict, check};
use std::{collections::BTreeMap, fs, process::ExitCode, time::Instant};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file] = args.as_slice() else {
        eprintln!("usage: check-history FILE");
        return ExitCode::from(2);
    };
    match read(file) {
        Ok(histories) => judge(&histories),
        Err(error) => {
            eprintln!("error: {file}: {error}");
            ExitCode::from(2)
        }
    }
}

/// The operations of each key.
type Histories = BTreeMap<String, Vec<Operation>>;

fn read(file: &str) -> Result<Histories, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let mut histories = Histories::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let record = Record::parse(line).map_err(|error| format!("line {number}: {error}"))?;
        let operation = record.operation().map_err(|error| format!("line {number}: {error}"))?;
        histories.entry(record.key).or_default().push(operation);
    }
    Ok(histories)
}

fn judge(histories: &Histories) -> ExitCode {
    let begun = Instant::now();
    let (mut operations, mut violations, mut undecided) = (0, 0, 0);
    for (key, history) in histories {
        operations += history.len();
        match check(history) {
            Verdict::Linearizable => {}
            Verdict::Violation(explanation) => {
                violations += 1;
                println!("{key}: violation: {}", explanation.describe(history));
            }
            Verdict::Undecided => {
                undecided += 1;
                println!("{key}: undecided: {} operations", history.len());
            }
        }
    }
    println!(
        "keys {}, operations {operations}, violations {violations}, undecided {undecided}, milliseconds {}",
        histories.len(),
        begun.elapsed().as_millis()
    );
    if violations + undecided == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
