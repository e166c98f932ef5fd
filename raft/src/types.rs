//! The concrete types that openraft works with here.
//!
//! Log entries carry commands in their versioned encoding: Raft itself never depends on a metadata version. Whoever
//! leads writes them in one that every member reads.

use crate::runtime::SeededRuntime;
use predis_meta::{Outcome, Rejected};
use serde::{Deserialize, Serialize};
use std::{fmt, io::Cursor};

/// A metadata command in its versioned encoding, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The command.
    pub command: String,
    /// The term in which alone it may take effect, if that matters: what a leader decided must not be carried
    /// out for it by a later one, nor by itself in a later term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<u64>,
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)
    }
}

/// What applying a log entry gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It was an entry of Raft's own.
    Internal,
    /// It was meant for another term: nothing was done.
    Stale,
    /// The metadata's answer.
    Applied(Result<Outcome, Rejected>),
}

openraft::declare_raft_types!(
    /// What openraft is told about this application.
    pub TypeConfig:
        D = Proposal,
        R = Response,
        NodeId = u64,
        Node = openraft::BasicNode,
        Entry = openraft::Entry<TypeConfig>,
        SnapshotData = Cursor<Vec<u8>>,
        AsyncRuntime = SeededRuntime,
);

pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Entry = openraft::Entry<TypeConfig>;
pub(crate) type Snapshot = openraft::Snapshot<TypeConfig>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, openraft::BasicNode>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, openraft::BasicNode>;
pub(crate) type StorageError = openraft::StorageError<u64>;
pub(crate) type Raft = openraft::Raft<TypeConfig>;
