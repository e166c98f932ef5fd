//! Sizes of memory as people write them, in Redis's manner.

/// Bytes from `1073741824`, `512mb`, `8gb`, `1g`: k, m, g, t are powers of 1000, kb, mb, gb, tb (and kib, ...)
/// of 1024, in either case.
///
/// # Errors
/// What the rule is.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let rule =
        || format!("must be a number of bytes, or one with k, kb, m, mb, g, gb, t or tb, got {text:?}");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| rule())?;
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" | "kib" => 1 << 10,
        "m" => 1_000_000,
        "mb" | "mib" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" | "gib" => 1 << 30,
        "t" => 1_000_000_000_000,
        "tb" | "tib" => 1 << 40,
        _ => return Err(rule()),
    };
    let bytes = number.checked_mul(factor).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| format!("must be from 1 byte to 16 exbibytes, got {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_of_both_kinds() {
        for (text, bytes) in [
            ("1", 1),
            ("2k", 2_000),
            ("2KB", 2_048),
            ("512mb", 512 << 20),
            ("1 GiB", 1 << 30),
            ("3t", 3 * 10u64.pow(12)),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_by_name() {
        for text in ["", "gb", "-1", "1.5gb", "1 potato", "0", "99999999999999tb"] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(&format!("{text:?}")), "{refused}");
        }
    }
}
