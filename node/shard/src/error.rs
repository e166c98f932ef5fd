//! What can be wrong with a command on data, in Redis's words.
//!
//! The one place where the shard's errors become replies. Does not know which command runs, except where Redis
//! names it.

use predis_resp::{Reply, WrongArity};

/// Why a command did nothing. Displays as Redis's whole error line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Arity(#[from] WrongArity),
    #[error("ERR syntax error")]
    Syntax,
    #[error("ERR value is not an integer or out of range")]
    NotAnInteger,
    #[error("ERR value is out of range, value must between -2147483648 and 2147483647")]
    NotAnInt,
    #[error("ERR value is not a valid float")]
    NotAFloat,
    #[error("ERR increment or decrement would overflow")]
    Overflow,
    #[error("ERR decrement would overflow")]
    DecrementOverflow,
    #[error("ERR increment would produce NaN or Infinity")]
    NotFinite,
    /// Of the command with this name.
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpireTime(&'static str),
    /// The option as it was sent.
    #[error("ERR Unsupported option {0}")]
    UnsupportedOption(String),
    #[error("ERR NX and XX, GT or LT options at the same time are not compatible")]
    NxNotCompatible,
    #[error("ERR GT and LT options at the same time are not compatible")]
    GtLtNotCompatible,
    #[error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")]
    StringTooLong,
    #[error("ERR offset is out of range")]
    OffsetOutOfRange,
    #[error("ERR no such key")]
    NoSuchKey,
    #[error("ERR source and destination objects are the same")]
    SameObject,
    #[error("ERR DB index is out of range")]
    DatabaseOutOfRange,
    #[error("ERR Copying to another database is not allowed in cluster mode")]
    OtherDatabase,
    #[error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
         between policies at runtime LRU and LFU data will take some time to adjust."
    )]
    NoFrequency,
    /// The command has no meaning within one partition: the node carries it out itself.
    #[error("ERR '{0}' is not a command on the keys of one partition")]
    NotOnKeys(&'static str),
}

impl From<CommandError> for Reply {
    fn from(error: CommandError) -> Reply {
        Reply::error(error.to_string())
    }
}
