//! What the cluster is asked to do while faults happen.

mod keys;
mod metadata;

pub use keys::keys;
pub use metadata::{PREFIX as METADATA_PREFIX, metadata};
