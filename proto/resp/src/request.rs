//! The request decoder: bytes in any pieces become commands, each a list of its arguments.
//!
//! ```text
//!   consumed | *2 $3 GET $3 ke|              the buffer, while a command is half arrived
//!            ^ 0     ^ ranges ^ position     nothing is consumed before a command is whole
//! ```
//! A whole command is cut off the buffer in one piece and its arguments are slices of that piece. Nothing is
//! read twice: positions survive between calls. Nothing is reserved for what was announced and has not come.
//! Like Redis, it does not look at the two bytes that follow a length or a bulk string.
//!
//! Knows nothing of which commands there are.

use crate::{Limits, ProtocolError, inline, parse_integer};
use bytes::{Buf, Bytes, BytesMut};

/// Above this many arguments the scratch list is given back after the command.
const KEPT_RANGES: usize = 1024;

/// Decodes one connection's requests, multibulk and inline.
#[derive(Debug)]
pub struct RequestDecoder {
    limits: Limits,
    /// Where parsing of the current command stands, from the start of the buffer.
    position: usize,
    /// Up to where no line end was found.
    scanned: usize,
    /// Arguments of the current command that are still to come; 0 between commands.
    missing: usize,
    /// The announced length of the argument that is arriving.
    bulk_len: Option<usize>,
    /// Start and end of every argument that has arrived.
    ranges: Vec<(usize, usize)>,
    failed: Option<ProtocolError>,
}

impl RequestDecoder {
    /// A decoder at the start of a connection.
    pub fn new(limits: Limits) -> Self {
        RequestDecoder {
            limits,
            position: 0,
            scanned: 0,
            missing: 0,
            bulk_len: None,
            ranges: Vec::new(),
            failed: None,
        }
    }

    /// Changes what the peer may send from the next length on, as when it has authenticated.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes the next command off the front of `buf`: its name and arguments, never empty. `None` when it has
    /// not arrived as a whole; append what arrives next to `buf`, change nothing in it, and call again.
    ///
    /// The arguments share the memory of `buf`, so whoever keeps one for long should copy it.
    ///
    /// # Errors
    /// The breach of the protocol, now and in every later call.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.next_command(buf);
        if let Err(error) = &result {
            self.failed = Some(*error);
        }
        result
    }

    fn next_command(&mut self, buf: &mut BytesMut) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        loop {
            if self.missing > 0 {
                return Ok(if self.read_bulks(buf)? { Some(self.take_command(buf)) } else { None });
            }
            match buf.first() {
                None => return Ok(None),
                Some(b'*') => {
                    if !self.read_count(buf)? {
                        return Ok(None);
                    }
                }
                Some(_) => match self.read_inline(buf)? {
                    None => return Ok(None),
                    // An empty line is skipped.
                    Some(args) if args.is_empty() => {}
                    Some(args) => return Ok(Some(args)),
                },
            }
        }
    }

    /// Reads a `*N` line. `false` when it has not arrived. An empty multibulk is consumed and forgotten.
    fn read_count(&mut self, buf: &mut BytesMut) -> Result<bool, ProtocolError> {
        let Some(end) = self.find_line_end(buf, ProtocolError::TooBigMultibulkCount)? else {
            return Ok(false);
        };
        let count = parse_integer(&buf[1..end]).ok_or(ProtocolError::InvalidMultibulkLength)?;
        if count <= 0 {
            buf.advance(end + 2);
            self.scanned = 0;
            return Ok(true);
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.check_args(count)?;
        self.missing = count;
        self.position = end + 2;
        self.scanned = self.position;
        Ok(true)
    }

    /// Reads arguments until the command is whole (`true`) or the buffer ends (`false`).
    fn read_bulks(&mut self, buf: &[u8]) -> Result<bool, ProtocolError> {
        while self.missing > 0 {
            let len = match self.bulk_len {
                Some(len) => len,
                None => match self.read_bulk_len(buf)? {
                    Some(len) => *self.bulk_len.insert(len),
                    None => return Ok(false),
                },
            };
            let end = self.position + len;
            if buf.len() < end + 2 {
                return Ok(false);
            }
            self.ranges.push((self.position, end));
            self.position = end + 2;
            self.scanned = self.position;
            self.bulk_len = None;
            self.missing -= 1;
        }
        Ok(true)
    }

    /// Reads a `$N` line. `None` when it has not arrived.
    fn read_bulk_len(&mut self, buf: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let Some(end) = self.find_line_end(buf, ProtocolError::TooBigBulkCount)? else { return Ok(None) };
        if buf[self.position] != b'$' {
            return Err(ProtocolError::ExpectedBulk(buf[self.position]));
        }
        let len = parse_integer(&buf[self.position + 1..end])
            .and_then(|len| usize::try_from(len).ok())
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if len > self.limits.max_bulk_bytes {
            return Err(if self.limits.authenticated || len > predis_types::limits::MAX_BULK_BYTES {
                ProtocolError::InvalidBulkLength
            } else {
                ProtocolError::UnauthenticatedBulkLength
            });
        }
        // The length line's end and the bulk's own are two bytes each.
        if len.saturating_add(end + 4) > self.limits.max_request_bytes {
            return Err(ProtocolError::TooBigRequest);
        }
        self.position = end + 2;
        self.scanned = self.position;
        Ok(Some(len))
    }

    /// Finds the CR that ends the line at `position`, once the byte after it is there too.
    fn find_line_end(&mut self, buf: &[u8], too_big: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        // A line may hold `max_inline_bytes` before its CR, however it was cut into pieces.
        let longest = self.position.saturating_add(self.limits.max_inline_bytes);
        let bound = buf.len().min(longest.saturating_add(1));
        match find_byte(b'\r', buf.get(self.scanned..bound).unwrap_or_default()) {
            Some(offset) => {
                let end = self.scanned + offset;
                Ok((buf.len() >= end + 2).then_some(end))
            }
            None if bound > longest => Err(too_big),
            None => {
                self.scanned = self.scanned.max(bound);
                Ok(None)
            }
        }
    }

    /// Reads one line of words. `None` when it has not arrived; empty when there is no word on it.
    fn read_inline(&mut self, buf: &mut BytesMut) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let bound = buf.len().min(self.limits.max_inline_bytes.saturating_add(1));
        let Some(offset) = memchr::memchr(b'\n', buf.get(self.scanned..bound).unwrap_or_default()) else {
            self.scanned = self.scanned.max(bound);
            return if bound > self.limits.max_inline_bytes {
                Err(ProtocolError::TooBigInline)
            } else {
                Ok(None)
            };
        };
        let mut line = buf.split_to(self.scanned + offset + 1).freeze();
        self.scanned = 0;
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        let args = inline::split(&line)?;
        self.check_args(args.len())?;
        Ok(Some(args))
    }

    fn check_args(&self, count: usize) -> Result<(), ProtocolError> {
        if count <= self.limits.max_args {
            Ok(())
        } else if self.limits.authenticated || count > predis_types::limits::MAX_ARGS {
            Err(ProtocolError::InvalidMultibulkLength)
        } else {
            Err(ProtocolError::UnauthenticatedMultibulkLength)
        }
    }

    fn take_command(&mut self, buf: &mut BytesMut) -> Vec<Bytes> {
        let frame = buf.split_to(self.position).freeze();
        let args = self.ranges.iter().map(|&(start, end)| frame.slice(start..end)).collect();
        self.ranges.clear();
        self.ranges.shrink_to(KEPT_RANGES);
        self.position = 0;
        self.scanned = 0;
        args
    }
}

/// The first place of `byte`. Lengths are short lines, found faster by looking than by a vector search, which
/// is left for what looks like an attack.
fn find_byte(byte: u8, haystack: &[u8]) -> Option<usize> {
    const NEAR: usize = 16;
    let near = haystack.len().min(NEAR);
    haystack[..near]
        .iter()
        .position(|b| *b == byte)
        .or_else(|| memchr::memchr(byte, &haystack[near..]).map(|offset| near + offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_sizes_reserve_nothing() {
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut buf = BytesMut::from(&b"*1048576\r\n$1\r\na\r\n$536870912\r\nabc"[..]);
        let capacity = buf.capacity();
        assert_eq!(decoder.decode(&mut buf), Ok(None));
        assert_eq!(buf.capacity(), capacity);
        assert!(decoder.ranges.capacity() <= 4, "{}", decoder.ranges.capacity());
    }

    #[test]
    fn a_half_arrived_bulk_is_not_read_again() {
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut buf = BytesMut::from(&b"*2\r\n$3\r\nGET\r\n$100000\r\n"[..]);
        assert_eq!(decoder.decode(&mut buf), Ok(None));
        let position = decoder.position;
        assert_eq!(position, buf.len());
        // Line ends inside the bulk would lead a second look astray.
        for _ in 0..9 {
            buf.extend_from_slice(&b"\r\n$1\r\n*1\r\n".repeat(100));
            assert_eq!(decoder.decode(&mut buf), Ok(None));
            assert_eq!((decoder.position, decoder.ranges.len()), (position, 1));
        }
    }

    #[test]
    fn a_half_arrived_line_is_searched_once() {
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut buf = BytesMut::new();
        for _ in 0..1000 {
            buf.extend_from_slice(b"word ");
            assert_eq!(decoder.decode(&mut buf), Ok(None));
            assert_eq!(decoder.scanned, buf.len());
        }
    }

    #[test]
    fn a_huge_command_leaves_no_huge_scratch() {
        let mut decoder = RequestDecoder::new(Limits::default());
        let mut buf = BytesMut::from(&b"*100000\r\n"[..]);
        buf.extend_from_slice(&b"$0\r\n\r\n".repeat(100_000));
        assert_eq!(decoder.decode(&mut buf).unwrap().unwrap().len(), 100_000);
        assert!(decoder.ranges.capacity() <= KEPT_RANGES);
    }
}
