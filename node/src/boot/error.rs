//! Why a node does not come up.

use crate::tls::TlsError;
use predis_raft::StartError;
use predis_types::{ClusterId, NodeId};
use std::{io as stdio, time::Duration};

/// Why a node did not come up.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// An address cannot be listened on.
    #[error("{what} cannot listen on {addr}")]
    Bind {
        /// Which port.
        what: &'static str,
        /// Which address.
        addr: String,
        /// What the operating system said.
        source: stdio::Error,
    },
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory cannot be read or written.
    #[error("the data directory cannot be read or written")]
    Data(#[from] stdio::Error),
    /// Founding was asked for in a directory that has a cluster.
    #[error(
        "the data directory belongs to node {node} of cluster {cluster}: start it without --bootstrap, or use \
         an empty directory"
    )]
    AlreadyMember {
        /// Whose directory it is.
        node: NodeId,
        /// Of which cluster.
        cluster: ClusterId,
    },
    /// The directory's node is a member no more.
    #[error(
        "the data directory belongs to node {node}, which left cluster {cluster} or was forgotten: a node comes \
         back as a new one, with an empty directory"
    )]
    Left {
        /// Whose directory it is.
        node: NodeId,
        /// Of which cluster.
        cluster: ClusterId,
    },
    /// Joining was asked for in a directory of another cluster.
    #[error(
        "{addr} is of cluster {theirs}, the data directory belongs to node {node} of cluster {ours}: a node \
         never changes its cluster"
    )]
    OtherCluster {
        /// Who was asked.
        addr: String,
        /// Its cluster.
        theirs: String,
        /// The directory's node.
        node: NodeId,
        /// The directory's cluster.
        ours: ClusterId,
    },
    /// The directory is empty and nothing says where to belong.
    #[error("the data directory is empty: found a cluster with --bootstrap or name a member with --join")]
    NoCluster,
    /// A member refused the node.
    #[error("{addr} refused: {reason}")]
    Refused {
        /// Who refused.
        addr: String,
        /// Why.
        reason: String,
    },
    /// No member took the node in.
    #[error("no member of the cluster could be joined within {limit:?}; the last answer: {last}")]
    JoinTimedOut {
        /// The time limit.
        limit: Duration,
        /// What went wrong last.
        last: String,
    },
    /// A member answered with nonsense.
    #[error("{addr} answered with a cluster id that is none: {text:?}")]
    BadAnswer {
        /// Who answered.
        addr: String,
        /// With what.
        text: String,
    },
    /// Raft could not start.
    #[error(transparent)]
    Raft(Box<StartError>),
}
