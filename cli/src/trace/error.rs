//! Why a trace cannot be read. Each message names the trace, and where in it something is wrong.

use std::io;

use super::line::BadLine;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TraceError {
    /// The trace, named first, could not be opened or read to its end.
    #[error("cannot read the trace {0}")]
    Unreadable(String, #[source] io::Error),
    /// A line of the trace, counted from 1, is not as it must be.
    #[error("{0}:{1}")]
    BadLine(String, u64, #[source] BadLine),
    /// The trace has no requests.
    #[error("the trace {0} is empty: no request follows its header")]
    Empty(String),
}
