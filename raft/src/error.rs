//! What can go wrong with the metadata, and whether it may be tried again.

use crate::transport::CallError;
use openraft::error::Fatal;
use predis_meta::{NotYet, Rejected};

/// Why a member could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The snapshot or the log cannot be read.
    #[error("cannot read the metadata")]
    Storage(#[from] std::io::Error),
    /// The time-outs contradict each other.
    #[error("the time-outs of raft contradict each other")]
    Timing(#[from] openraft::ConfigError),
    /// openraft refused to run. In its words: those of the error that it has from the storage are among them.
    #[error("raft cannot run: {0}")]
    Raft(String),
}

impl From<Fatal<u64>> for StartError {
    fn from(error: Fatal<u64>) -> StartError {
        StartError::Raft(error.to_string())
    }
}

/// Why a proposal or a read gave no result.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The command is committed, and the metadata refused it.
    #[error("{0}")]
    Rejected(#[from] Rejected),
    /// It cannot be a command: too large, or of a version that this member does not understand.
    #[error("not a command that can be committed: {0}")]
    Invalid(String),
    /// It cannot be said in the version that all members read. Nothing was committed.
    #[error("not a command that can be committed yet: {0}")]
    NotYet(#[from] NotYet),
    /// Nothing was committed: no leader is known, or it could not be reached.
    #[error("no leader can be reached: {0}")]
    Unavailable(String),
    /// The command may or may not be committed, now or later.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
}

impl ProposeError {
    /// Whether the same proposal may be made again without risk of acting twice.
    pub fn is_retryable(&self) -> bool {
        matches!(self, ProposeError::Unavailable(_))
    }

    pub(crate) fn from_fatal(error: Fatal<u64>) -> ProposeError {
        ProposeError::Unavailable(error.to_string())
    }

    /// A call that failed before anything was sent cannot have committed anything.
    pub(crate) fn from_call(error: &CallError) -> ProposeError {
        match error {
            CallError::BadAddress { .. } => ProposeError::Unavailable(error.to_string()),
            CallError::Failed { status, .. } if status.code() == tonic::Code::InvalidArgument => {
                ProposeError::Invalid(status.message().to_owned())
            }
            CallError::TimedOut { .. } | CallError::Failed { .. } => ProposeError::Unknown(error.to_string()),
        }
    }
}
