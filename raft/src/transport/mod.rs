//! How members reach each other: gRPC over connections that someone else opens.
//!
//! ```text
//! openraft -> Network -> Channels -> Line -> Connector (tokio TCP, turmoil TCP, or a pair of pipes in tests)
//!                                               |
//! openraft <- Service <- tonic server <---------+
//! ```
//! Every call has a deadline, and a call that fails or runs out of time drops its channel: a connection whose
//! bytes were lost must not be waited on.

mod accepted;
mod channels;
mod connector;
mod courier;
mod network;
mod service;

pub use accepted::Accepted;
pub use channels::{CallError, Channels};
pub use connector::{BoxedStream, Connector, Stream};
pub use courier::{Courier, Fate, Line};
pub(crate) use network::{Network, SnapshotMessage};
pub(crate) use service::Service;

use crate::types::{Entry, LogId};
use openraft::raft::AppendEntriesRequest;
use serde::{Serialize, de::DeserializeOwned};

/// The largest message a member accepts: a whole snapshot fits.
pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(value)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(bytes)
}

/// Whether the entries of an append follow its previous log id without a gap and in order.
///
/// A leader that failed to read its log could otherwise send a later run of entries as if it came first, and a
/// follower would build a log that never was (openraft issue 1795). Checked before sending and on receipt.
fn is_contiguous(request: &AppendEntriesRequest<crate::types::TypeConfig>) -> bool {
    let next = |previous: Option<LogId>| previous.map_or(0, |id| id.index + 1);
    let indexes = request.entries.iter().map(|entry: &Entry| entry.log_id.index);
    (next(request.prev_log_id)..).zip(indexes).all(|(expected, found)| expected == found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use openraft::{CommittedLeaderId, EntryPayload, Vote};

    fn id(index: u64) -> LogId {
        LogId::new(CommittedLeaderId::new(1, 1), index)
    }

    fn request(previous: Option<u64>, indexes: &[u64]) -> AppendEntriesRequest<crate::types::TypeConfig> {
        let entry = |index: &u64| Entry { log_id: id(*index), payload: EntryPayload::Blank };
        AppendEntriesRequest {
            vote: Vote::new_committed(1, 1),
            prev_log_id: previous.map(id),
            entries: indexes.iter().map(entry).collect(),
            leader_commit: None,
        }
    }

    #[test]
    fn only_runs_that_follow_the_previous_id_are_contiguous() {
        assert!(is_contiguous(&request(None, &[0, 1, 2])));
        assert!(is_contiguous(&request(Some(4), &[5, 6])));
        assert!(is_contiguous(&request(Some(4), &[])));
        assert!(!is_contiguous(&request(None, &[7, 8])));
        assert!(!is_contiguous(&request(Some(4), &[6])));
        assert!(!is_contiguous(&request(Some(4), &[5, 7])));
    }
}
