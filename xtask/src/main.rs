//! `cargo xtask`: the chores that keep the house in order, run the same way by hand and in CI.
//!
//! Owns the command line only; each chore has its own module. Knows nothing of what Predis does.

mod licences;
mod long;
mod metadata;
mod reference;
mod report;
mod rust_source;
mod tidy;
mod tree;

use std::process::ExitCode;

const HELP: &str = "\
Chores of the Predis workspace.

Usage: cargo xtask <COMMAND>

Commands:
  tidy [--json]                   Check crate directions, purity, sizes, module docs, links, leftovers, whitespace
  tidy --bless [--allow-growth]   Rewrite xtask/sizes.txt: lower and drop entries; with --allow-growth also
                                  raise and add them
  docs                            Rewrite docs/admin-api.md from the comments of admin.proto
  licences [--json] [--offline]   Check every dependency's licence and registry against deny.toml
  long [--seeds N] [--long-seeds M] [--planted-seeds K] [--jobs J] [--json]
                                  Hours of the simulator: N short runs (10000), M long ones (500), every planted
                                  bug under K seeds (200), J at once (one a core); progress on standard error, a
                                  report in Markdown or JSON on standard output
  help                            Print this text

Exit status: 0 all well, 1 something to mend, 2 wrong usage.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, flags) = match args.split_first() {
        None => ("help", &[][..]),
        Some((command, flags)) => (command.as_str(), flags),
    };
    let outcome = match command {
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        "tidy" => flagged(flags, &["--json", "--bless", "--allow-growth"], tidy::run),
        "docs" => flagged(flags, &[], reference::run),
        "licences" => flagged(flags, &["--json", "--offline"], licences::run),
        "long" => match long::check(flags) {
            Ok(()) => long::run(flags).map_err(Refusal::Failed),
            Err(message) => Err(Refusal::Usage(message)),
        },
        unknown => Err(Refusal::Usage(format!("unknown command '{unknown}'"))),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(Refusal::Usage(message)) => {
            eprintln!("xtask: {message}\n\n{HELP}");
            ExitCode::from(2)
        }
        Err(Refusal::Failed(error)) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// Why a chore gave no verdict.
enum Refusal {
    /// The command line is wrong.
    Usage(String),
    /// The chore could not be done: a file or a tool is missing.
    Failed(anyhow::Error),
}

/// Runs a chore with its flags, refusing those it does not know. A chore answers whether all is well.
fn flagged(
    flags: &[String],
    known: &[&str],
    chore: fn(&[String]) -> anyhow::Result<bool>,
) -> Result<bool, Refusal> {
    if let Some(flag) = flags.iter().find(|flag| !known.contains(&flag.as_str())) {
        return Err(Refusal::Usage(format!("unknown flag '{flag}'")));
    }
    if flags.iter().any(|flag| flag == "--allow-growth") && !flags.iter().any(|flag| flag == "--bless") {
        return Err(Refusal::Usage("--allow-growth means something only with --bless".into()));
    }
    chore(flags).map_err(Refusal::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chore(_flags: &[String]) -> anyhow::Result<bool> {
        Ok(true)
    }

    fn usage_error(flags: &[&str]) -> bool {
        let flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
        matches!(flagged(&flags, &["--bless", "--allow-growth"], chore), Err(Refusal::Usage(_)))
    }

    #[test]
    fn unknown_and_lonely_flags_are_usage_errors() {
        assert!(usage_error(&["--blesss"]));
        assert!(usage_error(&["--allow-growth"]));
        assert!(!usage_error(&["--bless", "--allow-growth"]));
        assert!(!usage_error(&[]));
    }
}
