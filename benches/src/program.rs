//! How a program here begins and ends: it is told what to do, or says what is wrong with that.

use anyhow::Context;
use std::process::ExitCode;

/// Runs a program on threads of its own. The status is 2 when its arguments are wrong, and 1 when what it looked at does
/// not hold, or it could not look.
pub fn run<A>(
    arguments: Result<A, String>,
    program: impl AsyncFnOnce(A) -> anyhow::Result<bool>,
) -> ExitCode {
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads");
    match runtime.and_then(|runtime| runtime.block_on(program(arguments))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
