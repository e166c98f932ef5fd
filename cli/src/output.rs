//! Standard output: where results go. A reader that has gone away, as in `predis ... | head`, is no failure.

use crate::failure::Failure;
use anyhow::Context;
use std::{
    fmt::Display,
    io::{ErrorKind, Write, stdout},
};

/// Writes text and a line break.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output").map_err(Failure::failed)
        }
        _ => Ok(()),
    }
}
