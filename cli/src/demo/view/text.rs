//! Numbers as people read them. Pure.

/// A number with its thousands set apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A latency.
pub(super) fn latency(us: f64) -> String {
    match us {
        us if us < 1000.0 => format!("{us:.0} us"),
        us if us < 100_000.0 => format!("{:.1} ms", us / 1000.0),
        us => format!("{:.0} ms", us / 1000.0),
    }
}

/// How much of an amount of memory is used.
pub(super) fn used(used_bytes: u64, limit_bytes: u64) -> String {
    let (unit, name, digits) = match limit_bytes {
        0..1_048_576 => (1024.0, "KiB", 0),
        1_048_576..1_073_741_824 => (1_048_576.0, "MiB", 1),
        _ => (1_073_741_824.0, "GiB", 1),
    };
    let (used, limit) = (used_bytes as f64 / unit, limit_bytes as f64 / unit);
    format!("{used:.digits$} of {limit:.digits$} {name}")
}

/// A bar of `width` characters, `share` of it filled, in eighths of a character.
pub(super) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let mut text: String = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        text.push(EIGHTHS[eighths % 8]);
    }
    let filled = text.chars().count();
    text + &" ".repeat(width - filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([12.4, 1500.0, 250_000.0].map(latency), ["12 us", "1.5 ms", "250 ms"]);
        assert_eq!(used(64 << 10, 512 << 10), "64 of 512 KiB");
        assert_eq!(
            (used(3 << 19, 4 << 20), used(1 << 30, 5 << 30)),
            ("1.5 of 4.0 MiB".into(), "1.0 of 5.0 GiB".into())
        );
        assert_eq!(
            [0.0, 0.5, 0.55, 1.0, 2.0].map(|share| bar(share, 4)),
            ["    ", "██  ", "██▎ ", "████", "████"]
        );
    }
}
