//! The directory of a backup: a file a partition, an index that is written last, and what can be wrong with them.
//!
//! ```text
//! index.json               what cluster, when, tenants, settings; size, SHA-256 and cut of each file
//! partition-00000.pbk ...  frames: header, pages, changes, trailer        (docs/backup.md)
//! ```
//! `frame`, `contents`, `fate` and `index` work on bytes alone; `create` and `open` touch the disk. Does not know how a
//! cluster is reached, nor what becomes of keys that are read.

mod contents;
mod create;
mod damage;
mod fate;
mod frame;
mod index;
mod open;

#[cfg(test)]
mod tests;

pub use create::{Create, CreateError, PartitionFile};
pub use damage::Damage;
pub use fate::Key;
pub use index::{FileEntry, Index, Tenant};
pub use open::{Backup, Checked, Keys, OpenError};

/// The version of the format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The name of the index: a directory that has none is no backup.
pub const INDEX: &str = "index.json";

/// The name of a partition's file.
pub fn file_name(partition: u16) -> String {
    format!("partition-{partition:05}.pbk")
}
