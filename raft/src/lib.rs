//! The openraft adapter: log store, transport, and the replicated metadata.
//!
//! ```text
//! node --propose/read/watch--> MetaRaft --> openraft --> LogStore, StateMachine --> Disk
//!                                             |
//!                                             +--> Network --> Channels --> Connector
//! ```
//! The only crate that knows openraft and sled. Knows nothing of shards or of RESP.

mod disk;
mod log_store;
mod metadata;
mod runtime;
mod snapshot;
mod state_machine;
mod transport;
mod types;
mod voters;

pub use disk::{Change, Disk, MemoryDisk, Pair, Pending, SledDisk, Space};
pub use metadata::{Agreed, Leadership, MetaRaft, Options, ProposeError, StartError, Timing};
pub use runtime::seeded;
pub use snapshot::FILE as SNAPSHOT_FILE;
pub use state_machine::Published;
pub use transport::{Accepted, BoxedStream, CallError, Channels, Connector, MAX_MESSAGE_BYTES, Stream};
pub use voters::{Candidate, choose as choose_voters, target as target_voters};

#[cfg(test)]
mod tests;
