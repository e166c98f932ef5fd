//! Replies and requests as bytes. RESP2 gets the lesser form of what only RESP3 has, as Redis gives it.
//!
//! Knows nothing of which protocol a connection chose.

use crate::{IntegerText, Protocol, Reply};
use bytes::{BufMut, BytesMut};
use std::fmt::Write;

/// Room for a type byte, a length and two line ends.
const FRAME_BYTES: usize = 32;

impl Reply {
    /// Appends the reply to `out`.
    pub fn encode(&self, protocol: Protocol, out: &mut BytesMut) {
        let resp3 = protocol == Protocol::Resp3;
        match self {
            Reply::Simple(text) => put_line(b'+', text, out),
            Reply::Error(text) => put_line(b'-', text, out),
            Reply::Integer(value) => put_header(b':', *value, out),
            Reply::Bulk(bytes) => put_bulk(b'$', bytes, out),
            Reply::Null | Reply::NullArray if resp3 => out.extend_from_slice(b"_\r\n"),
            Reply::Null => out.extend_from_slice(b"$-1\r\n"),
            Reply::NullArray => out.extend_from_slice(b"*-1\r\n"),
            Reply::Array(items) => put_items(b'*', items, protocol, out),
            Reply::Set(items) => put_items(if resp3 { b'~' } else { b'*' }, items, protocol, out),
            Reply::Push(items) => put_items(if resp3 { b'>' } else { b'*' }, items, protocol, out),
            Reply::Map(pairs) => {
                let (kind, len) = if resp3 { (b'%', pairs.len()) } else { (b'*', pairs.len() * 2) };
                put_len(kind, len, out);
                for (key, value) in pairs {
                    key.encode(protocol, out);
                    value.encode(protocol, out);
                }
            }
            Reply::Double(value) if resp3 => put_line(b',', &double_text(*value), out),
            Reply::Double(value) => put_bulk(b'$', double_text(*value).as_bytes(), out),
            Reply::Boolean(value) if resp3 => {
                out.extend_from_slice(if *value { b"#t\r\n" } else { b"#f\r\n" })
            }
            Reply::Boolean(value) => put_header(b':', i64::from(*value), out),
            Reply::BigNumber(digits) if resp3 => put_line(b'(', digits, out),
            Reply::BigNumber(digits) => put_bulk(b'$', digits.as_bytes(), out),
            Reply::Verbatim { format, text } if resp3 => put_verbatim(*format, text, out),
            Reply::Verbatim { text, .. } => put_bulk(b'$', text, out),
        }
    }
}

/// Appends a request: the command's name and its arguments, as a multibulk.
pub fn encode_command<A: AsRef<[u8]>>(args: &[A], out: &mut BytesMut) {
    put_len(b'*', args.len(), out);
    for arg in args {
        put_bulk(b'$', arg.as_ref(), out);
    }
}

fn put_header(kind: u8, value: i64, out: &mut BytesMut) {
    // Put together on the stack: one append is several times faster than three.
    let text = IntegerText::new(value);
    let digits = text.as_bytes();
    let mut line = [0; FRAME_BYTES];
    line[0] = kind;
    line[1..=digits.len()].copy_from_slice(digits);
    line[digits.len() + 1..digits.len() + 3].copy_from_slice(b"\r\n");
    out.extend_from_slice(&line[..digits.len() + 3]);
}

fn put_len(kind: u8, len: usize, out: &mut BytesMut) {
    // No collection is longer than isize::MAX bytes.
    put_header(kind, len as i64, out);
}

fn put_bulk(kind: u8, bytes: &[u8], out: &mut BytesMut) {
    out.reserve(bytes.len() + FRAME_BYTES);
    put_len(kind, bytes.len(), out);
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn put_verbatim(format: [u8; 3], text: &[u8], out: &mut BytesMut) {
    out.reserve(text.len() + FRAME_BYTES);
    put_len(b'=', text.len() + format.len() + 1, out);
    out.extend_from_slice(&format);
    out.put_u8(b':');
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn put_items(kind: u8, items: &[Reply], protocol: Protocol, out: &mut BytesMut) {
    put_len(kind, items.len(), out);
    for item in items {
        item.encode(protocol, out);
    }
}

/// Appends a line. A line end inside would let whoever chose the text forge the next reply.
fn put_line(kind: u8, text: &str, out: &mut BytesMut) {
    out.reserve(text.len() + FRAME_BYTES);
    out.put_u8(kind);
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    if memchr::memchr2(b'\r', b'\n', text.as_bytes()).is_some() {
        for byte in &mut out[start..] {
            if matches!(*byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The shortest text that reads back as the same number; whole numbers have no fraction.
fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let mut text = String::with_capacity(24);
    // Rust's Debug form switches to an exponent for very large and very small numbers; Display never does.
    write!(text, "{value:?}").expect("writing to a String cannot fail");
    if text.ends_with(".0") {
        text.truncate(text.len() - 2);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply, protocol: Protocol) -> String {
        let mut out = BytesMut::new();
        reply.encode(protocol, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn every_kind_has_its_form_in_both_protocols() {
        let pair = || vec![Reply::Integer(1), Reply::text("b")];
        for (reply, resp2, resp3) in [
            (Reply::ok(), "+OK\r\n", "+OK\r\n"),
            (Reply::error("ERR no"), "-ERR no\r\n", "-ERR no\r\n"),
            (Reply::Integer(-7), ":-7\r\n", ":-7\r\n"),
            (Reply::bulk("a\r\nb"), "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"),
            (Reply::bulk(""), "$0\r\n\r\n", "$0\r\n\r\n"),
            (Reply::Null, "$-1\r\n", "_\r\n"),
            (Reply::NullArray, "*-1\r\n", "_\r\n"),
            (Reply::Array(pair()), "*2\r\n:1\r\n$1\r\nb\r\n", "*2\r\n:1\r\n$1\r\nb\r\n"),
            (Reply::Array(Vec::new()), "*0\r\n", "*0\r\n"),
            (Reply::Set(pair()), "*2\r\n:1\r\n$1\r\nb\r\n", "~2\r\n:1\r\n$1\r\nb\r\n"),
            (Reply::Push(pair()), "*2\r\n:1\r\n$1\r\nb\r\n", ">2\r\n:1\r\n$1\r\nb\r\n"),
            (
                Reply::Map(vec![(Reply::text("k"), Reply::Null)]),
                "*2\r\n$1\r\nk\r\n$-1\r\n",
                "%1\r\n$1\r\nk\r\n_\r\n",
            ),
            (Reply::Double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
            (Reply::Double(3.0), "$1\r\n3\r\n", ",3\r\n"),
            (Reply::Double(1e300), "$5\r\n1e300\r\n", ",1e300\r\n"),
            (Reply::Double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n"),
            (Reply::Double(f64::NAN), "$3\r\nnan\r\n", ",nan\r\n"),
            (Reply::Boolean(true), ":1\r\n", "#t\r\n"),
            (Reply::Boolean(false), ":0\r\n", "#f\r\n"),
            (Reply::BigNumber("123".into()), "$3\r\n123\r\n", "(123\r\n"),
            (Reply::Verbatim { format: *b"txt", text: "hi".into() }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
        ] {
            assert_eq!(wire(&reply, Protocol::Resp2), resp2, "{reply:?}");
            assert_eq!(wire(&reply, Protocol::Resp3), resp3, "{reply:?}");
        }
    }

    #[test]
    fn a_line_cannot_forge_a_reply() {
        assert_eq!(wire(&Reply::error("ERR a\r\n+OK"), Protocol::Resp2), "-ERR a  +OK\r\n");
        assert_eq!(wire(&Reply::Simple("a\nb".into()), Protocol::Resp3), "+a b\r\n");
    }

    #[test]
    fn a_command_is_a_multibulk() {
        let mut out = BytesMut::new();
        encode_command(&["GET", "k"], &mut out);
        assert_eq!(&out[..], b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    }
}
