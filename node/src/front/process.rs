//! What the kernel says of this process, for INFO: memory and processor time.
//!
//! Read from `/proc`, so only where there is one; elsewhere INFO leaves the fields out. Nothing a node does
//! depends on these numbers.

/// Resident memory in bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    parse_resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Processor time in hundredths of a second: (system, user).
pub(super) fn cpu_ticks() -> Option<(u64, u64)> {
    parse_cpu(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The 14th and 15th fields; the second is a name in parentheses that may itself hold blanks and parentheses.
/// The kernel counts in USER_HZ, which is 100 on every architecture that this runs on.
fn parse_cpu(stat: &str) -> Option<(u64, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user = fields.next()?.parse().ok()?;
    let system = fields.next()?.parse().ok()?;
    Some((system, user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        assert_eq!(parse_resident("Name:\tx\nVmRSS:\t    1234 kB\nVmData: 1 kB\n"), Some(1234 * 1024));
        assert_eq!(parse_resident("Name:\tx\n"), None);
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 111 222 0 0 20";
        assert_eq!(parse_cpu(stat), Some((222, 111)));
        assert_eq!(parse_cpu("7"), None);
    }
}
