//! Why a replay gave no result. Each message names what was wrong, and where.

use std::io;

use super::args::SizeUnit;
use super::line::BadLine;
use crate::failure::Failure;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The trace, named first, could not be opened or read to its end.
    #[error("cannot read the trace {0}")]
    Unreadable(String, #[source] io::Error),
    /// A line of the trace, counted from 1, is not as it must be.
    #[error("{0}:{1}")]
    BadLine(String, u64, #[source] BadLine),
    /// The trace has no requests.
    #[error("the trace {0} is empty: no request follows its header")]
    Empty(String),
    /// A percentage needs two passes over the trace.
    #[error(
        "--cache-size in percent reads the trace twice, and standard input is read once: give a number or a file"
    )]
    ShareOfStandardInput,
    /// The percentage comes to nothing.
    #[error("--cache-size is less than 1 of the trace's {footprint} {}: give a larger percentage", unit.name())]
    NothingFits {
        /// All that the trace asks for.
        footprint: u64,
        /// What it counts.
        unit: SizeUnit,
    },
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Failure {
        match error {
            ReplayError::ShareOfStandardInput | ReplayError::NothingFits { .. } => Failure::usage(error),
            ReplayError::Unreadable(..) | ReplayError::BadLine(..) | ReplayError::Empty(_) => {
                Failure::failed(error)
            }
        }
    }
}
