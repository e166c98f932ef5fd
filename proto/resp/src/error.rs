//! What can be wrong with bytes that claim to be RESP. Knows nothing of errors in what a command means.

use crate::Reply;

/// A breach of the protocol. There is no way to find the next frame after one: the connection must be closed.
///
/// Displays as Redis's words after `ERR Protocol error: `; turned into a [`Reply`] it carries that prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A request's argument count is no number or above the limit.
    #[error("invalid multibulk length")]
    InvalidMultibulkLength,
    /// A bulk string's length is no number, negative, or above the limit.
    #[error("invalid bulk length")]
    InvalidBulkLength,
    /// The argument count is above what may be sent before authentication.
    #[error("unauthenticated multibulk length")]
    UnauthenticatedMultibulkLength,
    /// A bulk string's length is above what may be sent before authentication.
    #[error("unauthenticated bulk length")]
    UnauthenticatedBulkLength,
    /// An argument does not begin with `$`.
    #[error("expected '$', got '{}'", printable(*.0))]
    ExpectedBulk(u8),
    /// An inline request has no line end within the limit.
    #[error("too big inline request")]
    TooBigInline,
    /// An inline request's quotes do not match.
    #[error("unbalanced quotes in request")]
    UnbalancedQuotes,
    /// An argument count has no line end within the limit.
    #[error("too big mbulk count string")]
    TooBigMultibulkCount,
    /// A bulk string's length has no line end within the limit.
    #[error("too big bulk count string")]
    TooBigBulkCount,
    /// The arguments of one request are longer, together, than the limit.
    #[error("too big request")]
    TooBigRequest,
    /// A reply begins with a byte that names no type.
    #[error("unknown reply type '{}'", printable(*.0))]
    UnknownType(u8),
    /// A line of a reply is longer than the limit.
    #[error("too big reply line")]
    TooBigLine,
    /// A line or a bulk string of a reply does not end in CRLF.
    #[error("expected CRLF in reply")]
    ExpectedLineEnd,
    /// An aggregate's element count is no number or negative.
    #[error("invalid aggregate length")]
    InvalidAggregateLength,
    /// A number, boolean, null or verbatim string of a reply is malformed.
    #[error("invalid value in reply")]
    InvalidValue,
    /// A reply nests deeper than the limit.
    #[error("reply nested too deep")]
    TooDeep,
    /// A reply has more elements than the limit.
    #[error("too many elements in reply")]
    TooManyElements,
}

fn printable(byte: u8) -> char {
    // A control character would end or garble the error line it is quoted in.
    if byte.is_ascii_control() { ' ' } else { char::from(byte) }
}

impl From<ProtocolError> for Reply {
    fn from(error: ProtocolError) -> Reply {
        Reply::error(format!("ERR Protocol error: {error}"))
    }
}
