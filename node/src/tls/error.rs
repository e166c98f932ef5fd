//! Why certificates cannot be used: the field, the file, the rule. Nothing of a key's content ever stands here.

use std::{io, path::PathBuf};

/// What is wrong with the files that [`TlsConfig`](super::TlsConfig) names.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{field} {}: cannot be read", path.display())]
    Unreadable {
        /// Which setting names it.
        field: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than its owner may read or write a key.
    #[error(
        "{field} {}: its mode is {mode:03o}, and nobody but its owner may have access to a private key: chmod 600 it",
        path.display()
    )]
    Exposed {
        /// Which setting names it.
        field: &'static str,
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should, or what it holds is of no use here.
    #[error("{field} {}: {problem}", path.display())]
    Unusable {
        /// Which setting names it.
        field: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the rule is, and what was found.
        problem: String,
    },
}
