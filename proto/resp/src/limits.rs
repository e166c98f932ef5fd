//! How much a peer may make a decoder hold. Knows nothing of how the frames look.

use predis_types::limits;

/// The most one request may take, before anything is allocated for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most arguments of one command, its name included.
    pub max_args: usize,
    /// The longest argument of a multibulk request, in bytes.
    pub max_bulk_bytes: usize,
    /// The longest inline request and the longest length line, in bytes without the line end.
    pub max_inline_bytes: usize,
    /// The longest whole multibulk request as sent, in bytes.
    pub max_request_bytes: usize,
    /// Whether the peer has proved who it is; only the words of an error depend on it.
    pub authenticated: bool,
}

impl Limits {
    /// What anyone may send who has not authenticated where authentication is required: enough for AUTH and
    /// HELLO, as in Redis.
    pub const fn before_authentication() -> Self {
        Limits {
            max_args: 10,
            max_bulk_bytes: 16 * 1024,
            max_inline_bytes: 16 * 1024,
            max_request_bytes: 1024 * 1024,
            authenticated: false,
        }
    }
}

impl Default for Limits {
    /// Redis's defaults: 1 Mi arguments of 512 MiB, 64 KiB inline, 1 GiB in all.
    fn default() -> Self {
        Limits {
            max_args: limits::MAX_ARGS,
            max_bulk_bytes: limits::MAX_BULK_BYTES,
            max_inline_bytes: limits::MAX_INLINE_BYTES,
            max_request_bytes: 1024 * 1024 * 1024,
            authenticated: true,
        }
    }
}

/// The most one reply may take, before anything is allocated for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// How many aggregates may be open at once.
    pub max_depth: usize,
    /// The longest bulk string, in bytes.
    pub max_bulk_bytes: usize,
    /// The longest simple string, error, number or length line, in bytes without the line end.
    pub max_line_bytes: usize,
    /// The most elements of one reply, those of nested aggregates included.
    pub max_elements: usize,
}

impl Default for ReplyLimits {
    /// 64 deep, bulks of 512 MiB, lines of 64 KiB, 16 Mi elements.
    fn default() -> Self {
        ReplyLimits {
            max_depth: limits::MAX_REPLY_DEPTH,
            max_bulk_bytes: limits::MAX_BULK_BYTES,
            max_line_bytes: limits::MAX_INLINE_BYTES,
            max_elements: 16 * 1024 * 1024,
        }
    }
}
