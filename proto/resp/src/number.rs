//! Integers as text, both ways, without the formatting machinery. Knows nothing of frames.

/// The longest text of an `i64`: a sign and 19 digits.
const MAX_DIGITS: usize = 20;

/// Reads an integer as strictly as Redis does: decimal digits with an optional minus sign, no plus sign, no
/// leading zeros, no spaces, no `-0`. `None` for anything else and for what does not fit.
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'0'] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() >= MAX_DIGITS || !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    let mut magnitude: u64 = 0;
    for &digit in digits {
        // Nineteen digits cannot overflow a u64.
        magnitude = magnitude * 10 + u64::from(digit.checked_sub(b'0').filter(|d| *d <= 9)?);
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// An integer's decimal text, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct IntegerText {
    bytes: [u8; MAX_DIGITS],
    start: usize,
}

impl IntegerText {
    /// The text of `value`.
    pub fn new(value: i64) -> Self {
        let mut bytes = [0; MAX_DIGITS];
        let mut start = MAX_DIGITS;
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            start -= 1;
            bytes[start] = b'-';
        }
        IntegerText { bytes, start }
    }

    /// The digits, with a minus sign before them when the integer is negative.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extremes_round_trip() {
        for value in [0, 1, -1, 9, 10, -10, i64::MAX, i64::MIN, i64::MIN + 1] {
            let text = IntegerText::new(value);
            assert_eq!(text.as_bytes(), value.to_string().as_bytes());
            assert_eq!(parse_integer(text.as_bytes()), Some(value));
        }
    }

    #[test]
    fn anything_but_the_canonical_text_is_refused() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "-01",
            "00",
            " 1",
            "1 ",
            "1.0",
            "0x1",
            "/",
            ":",
            "1:",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
            "18446744073709551616",
        ] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_round_trips(value in any::<i64>()) {
            prop_assert_eq!(parse_integer(IntegerText::new(value).as_bytes()), Some(value));
        }

        #[test]
        fn only_canonical_text_parses(text in "[-+ 0-9]{0,22}") {
            let canonical = text.parse::<i64>().ok().filter(|value| value.to_string() == text);
            prop_assert_eq!(parse_integer(text.as_bytes()), canonical);
        }
    }
}
