//! What can be wrong with a request before or beside its execution on a shard, in Redis's words.
//!
//! The one place where the front's errors become replies.

use crate::access::{OverQuota, WrongPass};
use crate::shards::Answer;
use predis_raft::ProposeError;
use predis_resp::{LookupError, Reply, UNACKNOWLEDGED, WrongArity};
use predis_router::{CrossSlot, Endpoint, Route, Topology};
use predis_types::{NodeId, PartitionId, Slot};
use std::sync::Arc;

/// Why a request was not carried out. Displays as the whole error line.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    Arity(#[from] WrongArity),
    #[error("NOAUTH Authentication required.")]
    NotAuthenticated,
    #[error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
         <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
    )]
    HelloNotAuthenticated,
    #[error("NOPERM User {user} has no permissions to run the '{command}' command")]
    NoPermission { user: Arc<str>, command: &'static str },
    #[error("NOPERM User {user} has no permissions to run the '{command}' command on what tenants share")]
    OtherTenants { user: Arc<str>, command: &'static str },
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
    #[error(transparent)]
    CrossSlot(#[from] CrossSlot),
    #[error("MOVED {0} {1}")]
    Moved(Slot, Endpoint),
    #[error("CLUSTERDOWN Hash slot not served")]
    NotServed,
    #[error("CLUSTERDOWN The cluster is down")]
    ClusterDown,
    #[error("{UNACKNOWLEDGED}")]
    Withheld,
    #[error("TRYAGAIN Multiple keys request during rehashing of slot")]
    TryAgain,
    #[error("ERR CLIENT TRACKING {0}")]
    Tracking(&'static str),
    #[error("ERR {0}")]
    Plain(&'static str),
    #[error("ERR syntax error")]
    Syntax,
    #[error("ERR value is not an integer or out of range")]
    NotAnInteger,
    #[error("ERR invalid cursor")]
    InvalidCursor,
    #[error("ERR Invalid partition: must be a number below {0}")]
    InvalidPartition(u16),
    #[error("ERR Unknown category '{0}'")]
    UnknownCategory(String),
    #[error("ERR Invalid slot")]
    InvalidSlot,
    #[error("ERR Invalid slot or number of keys")]
    InvalidSlotOrCount,
    #[error("NOPROTO unsupported protocol version")]
    UnknownProtocol,
    #[error("ERR Protocol version is not an integer or out of range")]
    ProtocolNotAnInteger,
    #[error("ERR Syntax error in HELLO option '{0}'")]
    HelloOption(String),
    #[error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
         configuration is correct?"
    )]
    NoPassword,
    #[error(transparent)]
    WrongPass(#[from] WrongPass),
    #[error("ERR DB index is out of range")]
    NoSuchDatabase,
    #[error("ERR This instance has cluster support disabled")]
    NoClusterHere,
    #[error("ERR SELECT is not allowed in cluster mode")]
    Select,
    #[error("ERR {0} cannot contain spaces, newlines or special characters.")]
    BadLabel(&'static str),
    #[error("ERR Unrecognized option '{0}'")]
    UnknownLabel(String),
    #[error("ERR Unknown client type '{0}'")]
    UnknownClientType(String),
    #[error("ERR Invalid client ID")]
    InvalidClientId,
    #[error("ERR timeout is not an integer or out of range")]
    TimeoutNotAnInteger,
    #[error("ERR timeout is negative")]
    TimeoutNegative,
    #[error("ERR client-id should be greater than 0")]
    ClientIdNotPositive,
    #[error("ERR No such client")]
    NoSuchClient,
    #[error("ERR No such user '{0}'")]
    NoSuchUser(String),
    #[error("ERR Unknown option or number of arguments for CONFIG SET - '{0}'")]
    UnknownParameter(String),
    #[error("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")]
    BadParameter { name: &'static str, reason: String },
    #[error("ERR CONFIG SET failed - {0}")]
    NotAgreed(#[from] ProposeError),
    #[error("MASTERDOWN The copy here is older than max-staleness-ms allows, and there is no primary")]
    TooOld,
    #[error("NOREPLICAS Not enough good replicas to write.")]
    NoReplicas,
    #[error("ERR '{0}' cannot be carried out here")]
    NotHere(&'static str),
}

impl From<Error> for Reply {
    fn from(error: Error) -> Reply {
        Reply::error(error.to_string())
    }
}

/// What a shard's refusal means to a client whose keys are in `slot`, which `partition` holds for it. `None` when it
/// is no refusal.
pub(super) fn refusal(
    answer: &Answer,
    (slot, partition): (Slot, PartitionId),
    topology: &Topology,
) -> Option<Error> {
    match answer {
        Answer::Moved(node) => Some(moved(*node, slot, topology)),
        // The agreed state says whether anybody could have served it.
        Answer::ClusterDown => Some(match topology.route_partition(partition) {
            Route::Unserved { .. } => Error::NotServed,
            Route::Primary { .. } => Error::ClusterDown,
        }),
        Answer::Withheld => Some(Error::Withheld),
        Answer::NoReplicas => Some(Error::NoReplicas),
        Answer::TooOld => Some(Error::TooOld),
        Answer::TryAgain => Some(Error::TryAgain),
        _ => None,
    }
}

pub(super) fn moved(node: NodeId, slot: Slot, topology: &Topology) -> Error {
    let info = topology.node(node);
    info.map_or(Error::NotServed, |info| Error::Moved(slot, info.resp.clone()))
}

/// The beginning of what a client sent, as text to quote back to it.
pub(super) fn quoted(bytes: &[u8]) -> String {
    const QUOTED_BYTES: usize = 128;
    String::from_utf8_lossy(&bytes[..bytes.len().min(QUOTED_BYTES)]).replace(['\r', '\n'], " ")
}
