//! A reply as a value, whichever protocol it will be written in. Knows nothing of bytes on the wire.

use bytes::Bytes;
use std::borrow::Cow;

/// What a server answers, or pushes. RESP3's types are all here; RESP2 has a lesser form of each.
///
/// Encoding and dropping recurse as deep as the reply nests. What a peer sends is bounded by
/// [`ReplyLimits::max_depth`](crate::ReplyLimits); whoever builds replies keeps them shallow.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A short status such as `OK`. Line ends in it are written as spaces.
    Simple(Cow<'static, str>),
    /// An error: a code in capitals, a space, a sentence. Line ends in it are written as spaces.
    Error(Cow<'static, str>),
    /// A signed integer.
    Integer(i64),
    /// Any bytes.
    Bulk(Bytes),
    /// Nothing, where a value could be.
    Null,
    /// Nothing, where an array could be. RESP3 does not tell it from [`Reply::Null`].
    NullArray,
    /// Values in order.
    Array(Vec<Reply>),
    /// Pairs in the order given. A flat array in RESP2.
    Map(Vec<(Reply, Reply)>),
    /// Values without order. An array in RESP2.
    Set(Vec<Reply>),
    /// A floating-point number. A bulk string in RESP2.
    Double(f64),
    /// True or false. 1 or 0 in RESP2.
    Boolean(bool),
    /// The decimal digits of an integer of any size. A bulk string in RESP2.
    BigNumber(Cow<'static, str>),
    /// Text for humans. A bulk string in RESP2.
    Verbatim {
        /// The kind of text, such as `txt` or `mkd`.
        format: [u8; 3],
        /// The text itself.
        text: Bytes,
    },
    /// A message that answers no request. An array in RESP2.
    Push(Vec<Reply>),
}

impl Reply {
    /// The status `OK`.
    pub const fn ok() -> Reply {
        Reply::Simple(Cow::Borrowed("OK"))
    }

    /// A status that is known beforehand.
    pub const fn simple(text: &'static str) -> Reply {
        Reply::Simple(Cow::Borrowed(text))
    }

    /// An error, its code first: `ERR no such key`.
    pub fn error(text: impl Into<Cow<'static, str>>) -> Reply {
        Reply::Error(text.into())
    }

    /// A bulk string.
    pub fn bulk(bytes: impl Into<Bytes>) -> Reply {
        Reply::Bulk(bytes.into())
    }

    /// A bulk string that is known beforehand; nothing is copied.
    pub const fn text(text: &'static str) -> Reply {
        Reply::Bulk(Bytes::from_static(text.as_bytes()))
    }

    /// Whether this is an error.
    pub const fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }
}

impl From<i64> for Reply {
    fn from(value: i64) -> Reply {
        Reply::Integer(value)
    }
}
