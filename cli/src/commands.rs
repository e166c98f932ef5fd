//! The tree of subcommands: one variant and one arm for each. Does not know their arguments.

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::replay;

/// A Redis-compatible cache cluster.
#[derive(Debug, Parser)]
#[command(name = "predis", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::ReplayArgs),
}

impl Cli {
    /// Runs the subcommand that was asked for.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Replay(args) => replay::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_arguments_is_sound() {
        Cli::command().debug_assert();
    }
}
