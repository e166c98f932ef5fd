//! Why a call failed, and whether it may be made again.
//!
//! Knows nothing of how calls are made.

use predis_router::CrossSlot;
use predis_types::PartitionId;
use std::{sync::Arc, time::Duration};

/// Why a call gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The node refused; its error line, the code first. Nothing was changed.
    #[error("{0}")]
    Server(String),
    /// There was no answer in time. The call was not carried out, or may be carried out twice without harm. A write
    /// may still take effect later, until then nobody knows.
    #[error("no answer within {limit:?}{}", because(.last.as_ref()))]
    Deadline {
        /// The time that the call had.
        limit: Duration,
        /// What had gone wrong until then, if anything had.
        last: Option<Setback>,
    },
    /// The call may have been carried out, or not, and carrying it out twice would make a difference.
    #[error("the outcome is unknown: {cause}")]
    Ambiguous {
        /// Why there is no answer.
        cause: Setback,
    },
    /// The keys lie in different slots, and the command cannot be split.
    #[error(transparent)]
    CrossSlot(#[from] CrossSlot),
    /// The client gave up trying: too many calls are being repeated. The call was not carried out, or may be carried
    /// out twice without harm.
    #[error("{cause}, and too much is being repeated already")]
    Unavailable {
        /// What went wrong last.
        cause: Setback,
    },
    /// The client's user or token was refused, or its token cannot be read.
    #[error("authentication failed: {0}")]
    Auth(String),
    /// The command would change the state of a connection that many calls share.
    #[error("'{0}' cannot be sent over a shared connection")]
    Stateful(&'static str),
    /// The node answered something that is no answer to the command.
    #[error("unexpected answer to '{0}'")]
    Unexpected(&'static str),
}

/// Codes of errors that pass.
const PASSING: [&str; 7] = ["BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOREPLICAS", "OOM", "TRYAGAIN"];

impl CallError {
    /// Whether making the same call again is harmless and may help.
    pub fn may_repeat(&self) -> bool {
        match self {
            CallError::Deadline { .. } | CallError::Unavailable { .. } => true,
            CallError::Server(line) => PASSING.contains(&code(line)),
            CallError::Ambiguous { .. }
            | CallError::CrossSlot(_)
            | CallError::Auth(_)
            | CallError::Stateful(_)
            | CallError::Unexpected(_) => false,
        }
    }
}

/// What went wrong with one attempt at a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Setback {
    /// No connection could be opened.
    #[error("{addr} cannot be reached: {reason}")]
    Unreachable {
        /// Where to.
        addr: Arc<str>,
        /// Why not.
        reason: String,
    },
    /// The node closed the connection, or it broke.
    #[error("{addr} closed the connection")]
    Lost {
        /// Where to.
        addr: Arc<str>,
    },
    /// The node did not answer for so long that the connection was given up.
    #[error("{addr} does not answer")]
    Silent {
        /// Where to.
        addr: Arc<str>,
    },
    /// So much went wrong with a node that it is left alone for a moment.
    #[error("{addr} is left alone after failures")]
    LeftAlone {
        /// Where it is.
        addr: Arc<str>,
    },
    /// A node cannot serve now; its error line.
    #[error("{addr} answers: {line}")]
    Refused {
        /// Where it is.
        addr: Arc<str>,
        /// What it said.
        line: String,
    },
    /// Nobody serves the partition.
    #[error("nobody serves partition {0}")]
    Unserved(PartitionId),
    /// The cluster has no node that is up, as far as is known.
    #[error("no node is up")]
    NoNode,
    /// The call was sent and not answered in time.
    #[error("no answer within {0:?}")]
    Unanswered(Duration),
}

/// The code of an error line: its first word.
pub(crate) fn code(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn because(last: Option<&Setback>) -> String {
    last.map_or(String::new(), |setback| format!(": {setback}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_repeated_is_said() {
        let addr: Arc<str> = "a:1".into();
        let cause = Setback::Lost { addr };
        let limit = Duration::from_secs(1);
        for (error, may) in [
            (CallError::Server("OOM command not allowed".into()), true),
            (CallError::Server("TRYAGAIN".into()), true),
            (CallError::Server("WRONGTYPE no".into()), false),
            (CallError::Deadline { limit, last: None }, true),
            (CallError::Unavailable { cause: cause.clone() }, true),
            (CallError::Ambiguous { cause: cause.clone() }, false),
            (CallError::CrossSlot(CrossSlot), false),
            (CallError::Auth("WRONGPASS".into()), false),
        ] {
            assert_eq!(error.may_repeat(), may, "{error}");
        }
        let said = CallError::Deadline { limit, last: Some(cause) }.to_string();
        assert_eq!(said, "no answer within 1s: a:1 closed the connection");
    }
}
