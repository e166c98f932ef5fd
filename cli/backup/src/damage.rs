//! What can be wrong with a file of a backup. Does not know its name: whoever opened it does.

use crate::FORMAT;

/// Why a file is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It begins otherwise.
    #[error("is not a file of a Predis backup")]
    NotABackup,
    /// A newer program wrote it.
    #[error("is of format {0}, and this program reads up to {FORMAT}: upgrade it")]
    Newer(u32),
    /// It ends too early.
    #[error("ends in the middle, at byte {0}")]
    Truncated(u64),
    /// Something goes on behind its end.
    #[error("goes on behind its end, at byte {0}")]
    GoesOn(u64),
    /// A frame is not what was written.
    #[error("is damaged: the frame at byte {0} fails its checksum")]
    Checksum(u64),
    /// A frame that cannot be there.
    #[error("is damaged: the frame at byte {at} {rule}")]
    Frame {
        /// Where it begins.
        at: u64,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// It has another size than the index says.
    #[error("has {found} bytes, the index says {expected}")]
    Size {
        /// Its size.
        found: u64,
        /// What it should be.
        expected: u64,
    },
    /// It is another file than the one that was written.
    #[error("has SHA-256 {found}, the index says {expected}")]
    Digest {
        /// Its digest.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// What it says of itself is not what the index says.
    #[error("is of {found}, the index says {expected}")]
    Foreign {
        /// By the file.
        found: String,
        /// By the index.
        expected: String,
    },
}
