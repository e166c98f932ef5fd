//! Splits an inline request, a line typed by hand, into its arguments by Redis's quoting rules:
//!
//! - blanks separate arguments;
//! - `"..."` understands `\xHH`, `\n`, `\r`, `\t`, `\b`, `\a` and `\` before any other character;
//! - `'...'` understands only `\'`;
//! - a closing quote must be followed by a blank or by the end of the line.
//!
//! Knows nothing of where a line begins and ends.

use crate::ProtocolError;
use bytes::Bytes;

/// The arguments of `line`, which has no line end. An argument without quotes is a slice of the line.
pub(crate) fn split(line: &Bytes) -> Result<Vec<Bytes>, ProtocolError> {
    let mut args = Vec::new();
    let mut at = 0;
    loop {
        at += line[at..].iter().take_while(|byte| is_blank(**byte)).count();
        if at == line.len() {
            return Ok(args);
        }
        let plain = line[at..].iter().take_while(|byte| !ends_plain(**byte)).count();
        match line.get(at + plain) {
            Some(b'"' | b'\'') => {
                let (arg, end) = quoted(line, at)?;
                args.push(arg);
                at = end;
            }
            _ => {
                args.push(line.slice(at..at + plain));
                at += plain;
            }
        }
    }
}

/// Reads one argument that has quotes in it, from `at`; also answers where it ends.
fn quoted(line: &[u8], mut at: usize) -> Result<(Bytes, usize), ProtocolError> {
    let mut arg = Vec::new();
    while let Some(&byte) = line.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = if byte == b'"' {
                    double(line, at + 1, &mut arg)
                } else {
                    single(line, at + 1, &mut arg)
                }
                .ok_or(ProtocolError::UnbalancedQuotes)?;
                return match line.get(at) {
                    Some(next) if !is_blank(*next) => Err(ProtocolError::UnbalancedQuotes),
                    _ => Ok((arg.into(), at)),
                };
            }
            _ => arg.push(byte),
        }
        at += 1;
    }
    Ok((arg.into(), at))
}

/// Reads what follows a double quote; answers the place after the closing one, `None` when there is none.
fn double(line: &[u8], mut at: usize, arg: &mut Vec<u8>) -> Option<usize> {
    loop {
        match &line[at..] {
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                arg.push(hex(*high) << 4 | hex(*low));
                at += 4;
            }
            [b'\\', escaped, ..] => {
                arg.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                at += 2;
            }
            [b'"', ..] => return Some(at + 1),
            [byte, ..] => {
                arg.push(*byte);
                at += 1;
            }
            [] => return None,
        }
    }
}

/// Reads what follows a single quote; answers the place after the closing one, `None` when there is none.
fn single(line: &[u8], mut at: usize, arg: &mut Vec<u8>) -> Option<usize> {
    loop {
        match &line[at..] {
            [b'\\', b'\'', ..] => {
                arg.push(b'\'');
                at += 2;
            }
            [b'\'', ..] => return Some(at + 1),
            [byte, ..] => {
                arg.push(*byte);
                at += 1;
            }
            [] => return None,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Whether the byte ends a run of plain characters. Vertical tab and form feed separate arguments but do not
/// end one, as in Redis.
fn ends_plain(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'')
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split_text(line: &str) -> Result<Vec<Vec<u8>>, ProtocolError> {
        split(&Bytes::copy_from_slice(line.as_bytes())).map(|args| args.iter().map(|a| a.to_vec()).collect())
    }

    #[test]
    fn arguments_are_split_and_unquoted() {
        for (line, args) in [
            ("", &[][..]),
            ("  \t ", &[]),
            ("PING", &[&b"PING"[..]]),
            ("  SET  key   value ", &[b"SET", b"key", b"value"]),
            (r#"SET k "a b""#, &[b"SET", b"k", b"a b"]),
            (r#"SET k "\x00\xfF\n\r\t\b\a\q\"""#, &[b"SET", b"k", b"\x00\xff\n\r\t\x08\x07q\""]),
            (r#""\xg1""#, &[b"xg1"]),
            (r"'it\'s' 'a\nb'", &[b"it's", br"a\nb"]),
            (r#"foo"bar" a'b c'"#, &[b"foobar", b"ab c"]),
            (r#""" ''"#, &[b"", b""]),
        ] {
            assert_eq!(split_text(line).unwrap(), args, "{line}");
        }
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in
            [r#"""#, "'", r#""abc"#, r#""abc\"#, r#""abc\""#, r"'abc\'", r#""a"b"#, "'a'b", "a \"b\"\"c\""]
        {
            assert_eq!(split_text(line), Err(ProtocolError::UnbalancedQuotes), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(
            args in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6),
        ) {
            let mut line = String::new();
            for arg in &args {
                line.push('"');
                arg.iter().for_each(|byte| line.push_str(&format!("\\x{byte:02x}")));
                line.push_str("\" ");
            }
            prop_assert_eq!(split_text(&line).unwrap(), args);
        }

        #[test]
        fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = split(&line.into());
        }
    }
}
