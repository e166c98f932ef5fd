//! The `predis` command: reads the arguments, starts logging, runs the subcommand, and turns what went wrong
//! into an exit status. Does not know what any subcommand does.

mod commands;
mod failure;
mod logging;
mod replay;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = commands::Cli::parse();
    match logging::init().and_then(|()| cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}
