//! The reply decoder: bytes in any pieces become replies, for clients and tests.
//!
//! Nesting is kept on a list of open aggregates, never on the call stack, and its depth is bounded, so
//! neither reading nor dropping what a peer sends can overflow. Attributes are read and dropped. Streamed strings and
//! aggregates, which no Redis sends, are refused. Unlike the request decoder it insists on every CRLF.
//!
//! Knows nothing of which request a reply answers.

use crate::{ProtocolError, Reply, ReplyLimits, parse_integer};
use bytes::{Buf, BytesMut};
use std::borrow::Cow;

/// The most elements that room is made for beforehand.
const MAX_RESERVED: usize = 1024;

/// An aggregate whose elements are still arriving.
#[derive(Debug)]
struct Open {
    kind: u8,
    missing: usize,
    items: Vec<Reply>,
}

/// A bulk string whose length is known and whose bytes are still arriving.
#[derive(Clone, Copy, Debug)]
struct Pending {
    kind: u8,
    len: usize,
}

/// What one line, or one bulk string, turned out to be.
enum Token {
    Value(Reply),
    Open { kind: u8, elements: usize },
    Bulk(Pending),
}

/// Decodes one connection's replies, RESP2 and RESP3 alike.
#[derive(Debug)]
pub struct ReplyDecoder {
    limits: ReplyLimits,
    open: Vec<Open>,
    pending: Option<Pending>,
    /// Up to where no line end was found.
    scanned: usize,
    /// Elements announced so far within the current reply.
    elements: usize,
    failed: Option<ProtocolError>,
}

impl Default for ReplyDecoder {
    fn default() -> Self {
        ReplyDecoder::new(ReplyLimits::default())
    }
}

impl ReplyDecoder {
    /// A decoder at the start of a connection.
    pub fn new(limits: ReplyLimits) -> Self {
        ReplyDecoder { limits, open: Vec::new(), pending: None, scanned: 0, elements: 0, failed: None }
    }

    /// Takes the next reply off the front of `buf`. `None` when it has not arrived as a whole; append what
    /// arrives next to `buf` and call again. Parts of a reply are consumed as they arrive.
    ///
    /// # Errors
    /// The breach of the protocol, now and in every later call.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Reply>, ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.next_reply(buf);
        if let Err(error) = &result {
            self.failed = Some(*error);
            self.open.clear();
        }
        result
    }

    fn next_reply(&mut self, buf: &mut BytesMut) -> Result<Option<Reply>, ProtocolError> {
        loop {
            let token = match self.pending {
                Some(pending) => self.read_bulk(pending, buf)?,
                None => self.read_line(buf)?,
            };
            let value = match token {
                None => return Ok(None),
                Some(Token::Bulk(pending)) => {
                    self.pending = Some(pending);
                    continue;
                }
                Some(Token::Open { kind: b'|', elements: 0 }) => continue,
                Some(Token::Open { kind, elements: 0 }) => close(kind, Vec::new()),
                Some(Token::Open { kind, elements }) => {
                    self.open(kind, elements, buf.len())?;
                    continue;
                }
                Some(Token::Value(value)) => value,
            };
            if let Some(reply) = self.attach(value) {
                self.elements = 0;
                return Ok(Some(reply));
            }
        }
    }

    fn open(&mut self, kind: u8, elements: usize, arrived: usize) -> Result<(), ProtocolError> {
        if self.open.len() >= self.limits.max_depth {
            return Err(ProtocolError::TooDeep);
        }
        self.elements = self.elements.saturating_add(elements);
        if self.elements > self.limits.max_elements {
            return Err(ProtocolError::TooManyElements);
        }
        // An element takes three bytes at least: nothing is reserved for what has not arrived.
        let items = Vec::with_capacity(elements.min(arrived / 3).min(MAX_RESERVED));
        self.open.push(Open { kind, missing: elements, items });
        Ok(())
    }

    /// Puts a value where it belongs; answers the reply when that made it whole.
    fn attach(&mut self, mut value: Reply) -> Option<Reply> {
        loop {
            let Some(top) = self.open.last_mut() else { return Some(value) };
            top.items.push(value);
            top.missing -= 1;
            if top.missing > 0 {
                return None;
            }
            let done = self.open.pop()?;
            if done.kind == b'|' {
                // The value that the attribute speaks of is still to come, in the attribute's place.
                return None;
            }
            value = close(done.kind, done.items);
        }
    }

    fn read_bulk(&mut self, pending: Pending, buf: &mut BytesMut) -> Result<Option<Token>, ProtocolError> {
        if buf.len() < pending.len + 2 {
            return Ok(None);
        }
        if &buf[pending.len..pending.len + 2] != b"\r\n" {
            return Err(ProtocolError::ExpectedLineEnd);
        }
        let bytes = buf.split_to(pending.len).freeze();
        buf.advance(2);
        self.pending = None;
        let value = match pending.kind {
            b'$' => Reply::Bulk(bytes),
            b'!' => Reply::Error(text_of(&bytes)),
            _ => match *bytes {
                [a, b, c, b':', ..] => Reply::Verbatim { format: [a, b, c], text: bytes.slice(4..) },
                _ => return Err(ProtocolError::InvalidValue),
            },
        };
        Ok(Some(Token::Value(value)))
    }

    fn read_line(&mut self, buf: &mut BytesMut) -> Result<Option<Token>, ProtocolError> {
        // The type byte comes before what the limit counts.
        let bound = buf.len().min(self.limits.max_line_bytes.saturating_add(2));
        let Some(offset) = memchr::memchr(b'\r', buf.get(self.scanned..bound).unwrap_or_default()) else {
            self.scanned = self.scanned.max(bound);
            let full = bound > self.limits.max_line_bytes.saturating_add(1);
            return if full { Err(ProtocolError::TooBigLine) } else { Ok(None) };
        };
        let end = self.scanned + offset;
        match buf.get(end + 1) {
            None => return Ok(None),
            Some(b'\n') if end > 0 => {}
            Some(_) => return Err(ProtocolError::ExpectedLineEnd),
        }
        let token = self.token(buf[0], &buf[1..end])?;
        buf.advance(end + 2);
        self.scanned = 0;
        Ok(Some(token))
    }

    fn token(&self, kind: u8, line: &[u8]) -> Result<Token, ProtocolError> {
        let value = match kind {
            b'+' => Reply::Simple(text_of(line)),
            b'-' => Reply::Error(text_of(line)),
            b':' => Reply::Integer(integer_of(line)?),
            b'_' if line.is_empty() => Reply::Null,
            b'#' if line == b"t" => Reply::Boolean(true),
            b'#' if line == b"f" => Reply::Boolean(false),
            b',' => Reply::Double(double_of(line)?),
            b'(' => Reply::BigNumber(big_number_of(line)?),
            b'$' if line == b"-1" => Reply::Null,
            b'*' if line == b"-1" => Reply::NullArray,
            b'$' | b'!' | b'=' => {
                let len = length_of(line).filter(|len| *len <= self.limits.max_bulk_bytes);
                return Ok(Token::Bulk(Pending { kind, len: len.ok_or(ProtocolError::InvalidBulkLength)? }));
            }
            b'*' | b'~' | b'>' | b'%' | b'|' => {
                let len = length_of(line).ok_or(ProtocolError::InvalidAggregateLength)?;
                let elements = if matches!(kind, b'%' | b'|') { len.saturating_mul(2) } else { len };
                return Ok(Token::Open { kind, elements });
            }
            b'_' | b'#' => return Err(ProtocolError::InvalidValue),
            other => return Err(ProtocolError::UnknownType(other)),
        };
        Ok(Token::Value(value))
    }
}

fn close(kind: u8, items: Vec<Reply>) -> Reply {
    match kind {
        b'~' => Reply::Set(items),
        b'>' => Reply::Push(items),
        b'%' => {
            let mut pairs = Vec::with_capacity(items.len() / 2);
            let mut items = items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                pairs.push((key, value));
            }
            Reply::Map(pairs)
        }
        _ => Reply::Array(items),
    }
}

fn length_of(line: &[u8]) -> Option<usize> {
    parse_integer(line).and_then(|len| usize::try_from(len).ok())
}

fn integer_of(line: &[u8]) -> Result<i64, ProtocolError> {
    // RESP3 allows a plus sign before digits.
    let digits = match line {
        [b'+', digits @ ..] if digits.first() != Some(&b'-') => digits,
        other => other,
    };
    parse_integer(digits).ok_or(ProtocolError::InvalidValue)
}

fn double_of(line: &[u8]) -> Result<f64, ProtocolError> {
    // Rust reads all that RESP3 may write, and spellings such as "Infinity" that some servers write.
    std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).ok_or(ProtocolError::InvalidValue)
}

fn big_number_of(line: &[u8]) -> Result<Cow<'static, str>, ProtocolError> {
    let digits = line.strip_prefix(b"-").or(line.strip_prefix(b"+")).unwrap_or(line);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ProtocolError::InvalidValue);
    }
    Ok(text_of(line))
}

/// Text of a line; bytes that are not UTF-8 become replacement characters. Frequent texts are not copied.
fn text_of(line: &[u8]) -> Cow<'static, str> {
    match line {
        b"OK" => Cow::Borrowed("OK"),
        b"PONG" => Cow::Borrowed("PONG"),
        b"QUEUED" => Cow::Borrowed("QUEUED"),
        other => Cow::Owned(String::from_utf8_lossy(other).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_elements_reserve_nothing_that_has_not_arrived() {
        let mut decoder = ReplyDecoder::default();
        let mut buf = BytesMut::from(&b"*16000000\r\n:1\r\n"[..]);
        assert_eq!(decoder.decode(&mut buf), Ok(None));
        assert!(decoder.open[0].items.capacity() <= 4, "{}", decoder.open[0].items.capacity());
    }

    #[test]
    fn a_failed_decoder_holds_nothing() {
        let mut decoder = ReplyDecoder::default();
        let mut buf = BytesMut::from(&b"*1\r\n".repeat(100_000)[..]);
        assert_eq!(decoder.decode(&mut buf), Err(ProtocolError::TooDeep));
        assert!(decoder.open.is_empty());
    }
}
