//! What went wrong, as gRPC says it: the one place that knows which error has which code.

use predis_meta::Rejected;
use predis_raft::ProposeError;
use tonic::{Code, Status};

/// Why a proposal or a read gave no result.
pub(super) fn status(error: &ProposeError) -> Status {
    match error {
        ProposeError::Rejected(rejected) => refused(rejected),
        ProposeError::Invalid(_) => Status::invalid_argument(error.to_string()),
        ProposeError::NotYet(_) => Status::failed_precondition(error.to_string()),
        ProposeError::Unavailable(_) => Status::unavailable(error.to_string()),
        // Whoever repeats it blindly may do it twice.
        ProposeError::Unknown(_) => Status::unknown(format!("{error}; look before you try again")),
    }
}

/// Why the metadata refuses a command.
pub(super) fn refused(rejected: &Rejected) -> Status {
    Status::new(code(rejected), rejected.to_string())
}

fn code(rejected: &Rejected) -> Code {
    match rejected {
        _ if rejected.may_retry() => Code::Aborted,
        Rejected::Invalid { .. } => Code::InvalidArgument,
        Rejected::UnknownNode { .. }
        | Rejected::UnknownPartition { .. }
        | Rejected::UnknownTenant { .. }
        | Rejected::UnknownUser { .. }
        | Rejected::UnknownToken { .. } => Code::NotFound,
        Rejected::Taken { .. } | Rejected::TokenInUse | Rejected::ClusterExists => Code::AlreadyExists,
        Rejected::Full { .. } => Code::ResourceExhausted,
        Rejected::NoCluster => Code::Unavailable,
        _ => Code::FailedPrecondition,
    }
}

/// Whether an answer says that what was asked for cannot be had, and asking again will not help.
pub fn is_refusal(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::FailedPrecondition
            | Code::InvalidArgument
            | Code::AlreadyExists
            | Code::ResourceExhausted
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
    )
}
