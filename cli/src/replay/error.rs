//! Why a replay gave no result. Each message names what was wrong, and where.

use super::args::SizeUnit;
use crate::failure::Failure;
use crate::trace::TraceError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
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
            ReplayError::Trace(error) => Failure::failed(error),
        }
    }
}
