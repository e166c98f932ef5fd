//! One line of a trace: `time,key,size`. Pure; never panics, whatever the bytes.
//!
//! There is no quoting: a key is the bytes between the two commas. Does not know files nor line numbers.

/// How much of a wrong value is quoted.
const QUOTED_BYTES: usize = 64;

/// One request as it stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// When it was made, in milliseconds; finer digits are dropped.
    pub(crate) time_ms: u64,
    /// The key, never empty.
    pub(crate) key: &'a [u8],
    /// The size of the object in bytes.
    pub(crate) size_bytes: u64,
}

/// What is wrong with a line: the field, its value, and the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} '{value}' {rule}")]
pub(crate) struct BadLine {
    field: &'static str,
    value: String,
    rule: &'static str,
}

impl BadLine {
    /// A value that breaks a rule. Long values are cut, and bytes that are not printable ASCII are escaped.
    pub(crate) fn new(field: &'static str, value: &[u8], rule: &'static str) -> Self {
        let mut quoted = value[..value.len().min(QUOTED_BYTES)].escape_ascii().to_string();
        if value.len() > QUOTED_BYTES {
            quoted.push_str("...");
        }
        BadLine { field, value: quoted, rule }
    }
}

/// Reads a line without its line end.
pub(crate) fn parse_line(line: &[u8]) -> Result<Line<'_>, BadLine> {
    let mut fields = line.split(|byte| *byte == b',');
    let (Some(time), Some(key), Some(size), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(BadLine::new("line", line, "must have the three fields time,key,size"));
    };
    let time_ms = milliseconds(time)
        .ok_or_else(|| BadLine::new("time", time, "must be a number of seconds such as 12 or 12.5"))?;
    if key.is_empty() {
        return Err(BadLine::new("key", key, "must not be empty"));
    }
    let size_bytes = whole_number(size).ok_or_else(|| {
        BadLine::new("size", size, "must be a whole number of bytes, from 0 to 18446744073709551615")
    })?;
    Ok(Line { time_ms, key, size_bytes })
}

/// Decimal digits and nothing else, at least one, that fit 64 bits.
fn whole_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then_some(u64::from(byte.wrapping_sub(b'0')))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Seconds with or without a fraction, as milliseconds.
fn milliseconds(text: &[u8]) -> Option<u64> {
    let point = text.iter().position(|byte| *byte == b'.');
    let Some(point) = point else { return whole_number(text)?.checked_mul(1000) };
    let (seconds, fraction) = (&text[..point], &text[point + 1..]);
    if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(3)];
    let scale = 10u64.pow(3 - kept.len() as u32);
    whole_number(seconds)?.checked_mul(1000)?.checked_add(whole_number(kept)? * scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(line: &[u8]) -> String {
        parse_line(line).unwrap_err().to_string()
    }

    #[test]
    fn lines_are_read() {
        let read =
            |line: &'static [u8]| parse_line(line).map(|line| (line.time_ms, line.key, line.size_bytes));
        assert_eq!(read(b"0,1,1"), Ok((0, &b"1"[..], 1)));
        assert_eq!(read(b"12.5,some key,0"), Ok((12_500, &b"some key"[..], 0)));
        assert_eq!(read(b"1.0429,\xff\"\0,4096"), Ok((1042, &b"\xff\"\0"[..], 4096)));
        assert_eq!(read(b"007,k,18446744073709551615"), Ok((7000, &b"k"[..], u64::MAX)));
    }

    #[test]
    fn a_bad_line_names_field_value_and_rule() {
        for line in [&b""[..], b"1,2", b"1,2,3,4"] {
            let expected = format!("line '{}' must have the three fields time,key,size", line.escape_ascii());
            assert_eq!(refused(line), expected);
        }
        for time in ["", "-1", "1.", ".5", "1.5.5", "1e3", " 1", "18446744073709552"] {
            let rule = "must be a number of seconds such as 12 or 12.5";
            assert_eq!(refused(format!("{time},k,1").as_bytes()), format!("time '{time}' {rule}"));
        }
        assert_eq!(refused(b"1,,1"), "key '' must not be empty");
        for size in ["", "-1", "1.5", "1 ", "18446744073709551616", "\\xff"] {
            let line =
                if size == "\\xff" { b"1,k,\xff".to_vec() } else { format!("1,k,{size}").into_bytes() };
            let rule = "must be a whole number of bytes, from 0 to 18446744073709551615";
            assert_eq!(refused(&line), format!("size '{size}' {rule}"));
        }
        assert!(refused(&[b'x'; 1000]).len() < 150, "a long value is cut");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(line in prop::collection::vec(any::<u8>(), 0..100)) {
            let commas = line.iter().filter(|byte| **byte == b',').count();
            prop_assert!(parse_line(&line).is_err() || commas == 2);
        }

        #[test]
        fn nearly_right_lines_are_read_or_refused(line in "[0-9.,a-]{0,30}") {
            if let Ok(read) = parse_line(line.as_bytes()) {
                let size: u64 = line.rsplit(',').next().unwrap().parse().unwrap();
                prop_assert_eq!(size, read.size_bytes);
            }
        }

        #[test]
        fn what_is_written_is_read_back(ms in 0..u64::MAX, key in "[^,]{1,40}", size in any::<u64>()) {
            let line = format!("{}.{:03},{key},{size}", ms / 1000, ms % 1000);
            let expected = Line { time_ms: ms, key: key.as_bytes(), size_bytes: size };
            prop_assert_eq!(parse_line(line.as_bytes()), Ok(expected));
        }
    }
}
