//! The `predis` command: reads the arguments, runs the subcommand, and turns what went wrong into an exit
//! status. Does not know what any subcommand does.

mod bench;
mod cache;
mod certs;
mod commands;
mod completions;
mod config;
mod ctl;
mod demo;
mod failure;
mod footprint;
mod latencies;
mod local;
mod logging;
mod output;
mod replay;
mod server;
mod stop;
mod token;
mod trace;
mod up;
mod wire;
mod zipf;

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
