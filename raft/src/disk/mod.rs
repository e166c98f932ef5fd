//! The seam between Raft's storage and a disk: ordered key spaces and small files.
//!
//! ```text
//! log store ----> Space::Log, Space::Vote --+
//! state machine -> file "snapshot" ---------+--> dyn Disk --> SledDisk   (production)
//! node identity -> file "identity" ---------+             \-> MemoryDisk (simulation: a crash loses
//!                                                                         what was not synced)
//! ```
//! Knows nothing of what the bytes mean.

mod memory;
mod sled;

pub use memory::{DiskFaults, MemoryDisk};
pub use sled::SledDisk;

use std::{future::Future, io, pin::Pin};

/// A future that a trait object can return.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An ordered key space of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// Raft log entries by index.
    Log,
    /// The vote, and how far the log is committed and purged.
    Vote,
}

/// One change; a slice of them is atomic within its space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key; a missing one is fine.
    Remove(Vec<u8>),
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The longest value that may be written: sled moves those above about 128 KiB to files that it never syncs.
pub const MAX_VALUE_BYTES: usize = 120 * 1024;

/// Refuses changes with a value that is too long.
fn check_sizes(changes: &[Change]) -> io::Result<()> {
    for change in changes {
        if let Change::Put(_, value) = change
            && value.len() > MAX_VALUE_BYTES
        {
            let text = format!("value of {} bytes exceeds {MAX_VALUE_BYTES}", value.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
    }
    Ok(())
}

/// Where a member keeps what must survive a crash.
///
/// Reads see every write at once. A write survives a crash only if a [`Disk::sync`] that began after it has
/// returned `Ok`. After an error of `sync` the caller must assume that nothing since the last success is safe.
pub trait Disk: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, space: Space, key: &[u8]) -> io::Result<Option<Vec<u8>>>;

    /// The pairs with `from <= key < to`, ascending.
    fn range(&self, space: Space, from: &[u8], to: &[u8]) -> io::Result<Vec<Pair>>;

    /// The pair with the greatest key.
    fn last(&self, space: Space) -> io::Result<Option<Pair>>;

    /// Applies the changes atomically.
    fn write(&self, space: Space, changes: Vec<Change>) -> io::Result<()>;

    /// Makes every earlier write durable.
    fn sync(&self) -> Pending<'_, io::Result<()>>;

    /// Replaces a small file atomically; durable when it returns.
    fn put_file<'a>(&'a self, name: &'a str, content: Vec<u8>) -> Pending<'a, io::Result<()>>;

    /// The content of a file.
    fn get_file(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
}
