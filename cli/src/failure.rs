//! Why a command ended without success, and the exit status that says so: 1 for a failure, 2 for a usage or
//! configuration error. Does not know any command.

use std::fmt;
use std::process::ExitCode;

/// What a subcommand answers instead of success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked for something that cannot be: exit status 2.
    Usage(anyhow::Error),
    /// It was asked rightly and did not succeed: exit status 1.
    Failed(anyhow::Error),
}

impl Failure {
    /// A usage or configuration error.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Failure::Usage(error.into())
    }

    /// A failure.
    pub(crate) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Failure::Failed(error.into())
    }

    /// The same in other words.
    pub(crate) fn say(self, words: impl FnOnce(String) -> String) -> Self {
        match self {
            Failure::Usage(error) => Failure::usage(anyhow::anyhow!(words(format!("{error:#}")))),
            Failure::Failed(error) => Failure::failed(anyhow::anyhow!(words(format!("{error:#}")))),
        }
    }

    /// The exit status of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Failed(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    /// The error and what led to it, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Usage(error) | Failure::Failed(error)) = self;
        write!(f, "{error:#}")
    }
}
