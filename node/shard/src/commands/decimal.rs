//! The arithmetic of INCRBYFLOAT: decimal text in, decimal text out.
//!
//! Redis adds in C's `long double` and prints 17 digits after the point, trailing zeros removed. Adding in `f64`
//! would show as `0.30000000000000004`, so numbers below 10^20 are added exactly, as integers of 10^-17. That is
//! what Redis answers where a `long double` has 113 bits; where it has 64 (x86-64) Redis shows that type's error
//! from about the 19th significant digit on, and this does not. Numbers outside the range are added as `f64` and
//! printed with its shortest digits; beyond 1.8e308, where a `long double` still holds them, they are refused as
//! infinite. Hexadecimal floats, which Redis reads, are refused.
//!
//! Knows nothing of keys.

use crate::error::CommandError;

/// Digits after the point.
const PLACES: u32 = 17;
/// 10^PLACES.
const UNIT: i128 = 10i128.pow(PLACES);
/// Exact numbers are below 10^20 in size.
const LIMIT: i128 = UNIT * 10i128.pow(20);
/// The longest text Redis reads as a float.
const MAX_TEXT_BYTES: usize = 5 * 1024;

/// The sum of two numbers as text.
///
/// # Errors
/// One of them is no number, or the sum is not finite.
pub(super) fn add(left: &[u8], right: &[u8]) -> Result<String, CommandError> {
    let (left, right) = (Number::parse(left)?, Number::parse(right)?);
    if let (Some(left), Some(right)) = (left.exact, right.exact) {
        return Ok(print(left + right));
    }
    let sum = left.float + right.float;
    if !sum.is_finite() {
        return Err(CommandError::NotFinite);
    }
    Ok(format!("{}", if sum == 0.0 { 0.0 } else { sum }))
}

/// A number, exactly if it is small enough.
struct Number {
    exact: Option<i128>,
    float: f64,
}

impl Number {
    fn parse(text: &[u8]) -> Result<Number, CommandError> {
        let text = std::str::from_utf8(text).map_err(|_| CommandError::NotAFloat)?;
        let float: f64 = text.parse().map_err(|_| CommandError::NotAFloat)?;
        if float.is_nan() || text.len() > MAX_TEXT_BYTES {
            return Err(CommandError::NotAFloat);
        }
        let exact = if float.is_finite() { parse_exact(text) } else { None };
        Ok(Number { exact, float })
    }
}

/// The number in units of 10^-17, rounded half to even, if it is in range. The text is known to be a float.
fn parse_exact(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let places = point.map_or(0, |point| digits.len() - point - 1);
    let mut magnitude: i128 = 0;
    for digit in digits.iter().filter(|byte| byte.is_ascii_digit()) {
        magnitude = magnitude.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let shift = i64::from(PLACES).checked_add(exponent)?.checked_sub(i64::try_from(places).ok()?)?;
    let scaled = scale(magnitude, shift)?;
    (scaled < LIMIT).then_some(if negative { -scaled } else { scaled })
}

/// `magnitude` times 10 to the `shift`, rounded half to even.
fn scale(magnitude: i128, shift: i64) -> Option<i128> {
    if magnitude == 0 {
        return Some(0);
    }
    let power = u32::try_from(shift.unsigned_abs()).ok().and_then(|shift| 10i128.checked_pow(shift));
    if shift >= 0 {
        return magnitude.checked_mul(power?);
    }
    let Some(divisor) = power else { return Some(0) };
    let (quotient, rest) = (magnitude / divisor, magnitude % divisor);
    let up = match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    Some(quotient + i128::from(up))
}

fn print(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, part) =
        (value.unsigned_abs() / UNIT.unsigned_abs(), value.unsigned_abs() % UNIT.unsigned_abs());
    let text = format!("{sign}{whole}.{part:0width$}", width = PLACES as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_as_redis_prints_them() {
        for (left, right, sum) in [
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("3", "-3.5", "-0.5"),
            ("1", "-1", "0"),
            ("-0", "-0.0", "0"),
            (".5", "5.", "5.5"),
            ("+1", "1E-2", "1.01"),
            ("17179869184", "1.5", "17179869185.5"),
            ("0", "1e-18", "0"),
            ("0", "1e-17", "0.00000000000000001"),
            ("99999999999999999999", "-1", "99999999999999999998"),
            ("0", "1e20", "100000000000000000000"),
            ("0", "1e-400", "0"),
            ("0.0000", "0e999999999999", "0"),
        ] {
            assert_eq!(add(left.as_bytes(), right.as_bytes()).unwrap(), sum, "{left} + {right}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", " 1", "1 ", "1.2.3", "e5", "nan", "abc", "0x10", "--1", "1e", "\u{661}"] {
            assert_eq!(add(b"0", text.as_bytes()), Err(CommandError::NotAFloat), "{text:?}");
        }
        assert_eq!(add(b"0", b"\xff"), Err(CommandError::NotAFloat));
        for text in ["inf", "-Infinity", "1e400"] {
            assert_eq!(add(b"0", text.as_bytes()), Err(CommandError::NotFinite), "{text:?}");
        }
        assert_eq!(add(b"1.7e308", b"1.7e308"), Err(CommandError::NotFinite));
    }
}
