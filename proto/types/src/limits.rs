//! Bounds that are checked before anything is allocated for them.

/// The longest bulk string a client may announce: 512 MiB, as Redis's `proto-max-bulk-len`.
pub const MAX_BULK_BYTES: usize = 512 * 1024 * 1024;

/// The largest message in which a node gives or takes keys: a key and a value of the longest kind, and what comes with
/// them.
pub const MAX_MESSAGE_BYTES: usize = 1200 << 20;

/// The most arguments one command may have, as in Redis.
pub const MAX_ARGS: usize = 1024 * 1024;

/// The longest inline command, and the longest length line of a frame, as in Redis.
pub const MAX_INLINE_BYTES: usize = 64 * 1024;

/// How deep a reply may nest before a reader of replies gives up on it.
pub const MAX_REPLY_DEPTH: usize = 64;

/// The most members a cluster may have.
pub const MAX_NODES: usize = 1000;

/// The most replicas, primary included, that a partition may have.
pub const MAX_COPIES: u8 = 5;

/// The longest name of a node, zone, region, tenant or configuration key, in bytes.
pub const MAX_NAME_BYTES: usize = 64;
