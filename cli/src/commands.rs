//! The tree of subcommands: one variant and one arm for each. Does not know their arguments.

use clap::{CommandFactory, Parser, Subcommand};

use crate::failure::Failure;
use crate::{bench, certs, completions, config, ctl, demo, logging, replay, server, up};

/// A Redis-compatible cache cluster.
#[derive(Debug, Parser)]
#[command(name = "predis", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Server(Box<server::ServerArgs>),
    Up(up::UpArgs),
    Ctl(ctl::CtlArgs),
    Config(config::ConfigArgs),
    Replay(replay::ReplayArgs),
    Certs(certs::CertsArgs),
    Bench(bench::BenchArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
}

impl Cli {
    /// Runs the subcommand that was asked for.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Server(args) => server::run(*args),
            Command::Up(args) => up::run(args),
            Command::Ctl(args) => ctl::run(&args),
            Command::Completions(args) => completions::run(&args, Cli::command()),
            Command::Certs(args) => certs::run(&args),
            Command::Config(args) => config::run(args),
            Command::Replay(args) => logging::init(logging::Format::Text).and_then(|()| replay::run(&args)),
            Command::Bench(args) => bench::run(&args),
            Command::Demo(args) => demo::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_arguments_is_sound() {
        Cli::command().debug_assert();
    }
}
