//! The openraft adapter: log store, transport, and the replicated metadata.
//!
//! ```text
//! node --propose/read/watch--> MetaRaft --> openraft --> LogStore, StateMachine --> Disk
//!                                             |
//!                                             +--> Network --> Channels --> Connector
//! ```
//! The only crate that knows openraft and sled. Knows nothing of shards or of RESP.

// openraft's error types are large, and its traits fix them.
#![allow(clippy::result_large_err)]

mod disk;
mod error;
mod log_store;
mod metadata;
mod options;
mod runtime;
mod snapshot;
mod state_machine;
mod transport;
mod types;
mod voters;

pub use disk::{Change, Disk, DiskFaults, MemoryDisk, Pair, Pending, SledDisk, Space};
pub use error::{ProposeError, StartError};
pub use metadata::{Agreed, Leadership, MetaRaft};
pub use options::{Options, Timing};
pub use runtime::seeded;
pub use snapshot::FILE as SNAPSHOT_FILE;
pub use state_machine::Published;
pub use transport::{
    Accepted, BoxedStream, CallError, Channels, Connector, Courier, Fate, Line, MAX_MESSAGE_BYTES, Stream,
};
pub use voters::{Candidate, choose as choose_voters, target as target_voters};

#[cfg(test)]
mod tests;
