//! `predis completions`: what a shell needs to complete commands and flags. Made from the tree of subcommands, so it
//! knows all of them.

use crate::failure::Failure;
use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use std::io::{ErrorKind, Write, stdout};

/// Print completions for a shell, as `predis completions bash > /etc/bash_completion.d/predis`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell.
    shell: Shell,
}

/// Prints them.
pub(crate) fn run(args: &CompletionsArgs, mut tree: Command) -> Result<(), Failure> {
    let written = stdout().lock().write_all(&script(args.shell, &mut tree));
    match written {
        // A reader that has gone away is no failure.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output").map_err(Failure::failed)
        }
        _ => Ok(()),
    }
}

fn script(shell: Shell, tree: &mut Command) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, tree, "predis", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, ValueEnum};

    #[test]
    fn every_shell_gets_commands_and_flags() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell, &mut crate::commands::Cli::command())).unwrap();
            for word in ["bootstrap", "partitions", "rotate", "log-format"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
