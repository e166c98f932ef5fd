//! The `predis` command: reads the arguments, runs the subcommand, and turns what went wrong into an exit
//! status. Does not know what any subcommand does.

mod certs;
mod commands;
mod completions;
mod config;
mod ctl;
mod failure;
mod logging;
mod output;
mod replay;
mod server;
mod stop;
mod up;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}
