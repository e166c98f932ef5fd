//! Glob patterns over names of parameters and commands, in whatever case.
//!
//! Names are in small letters, so a pattern in small letters matches as one without case would.

/// Whether a name, in small letters, matches a pattern as a whole.
pub(super) fn matches(pattern: &[u8], name: &str) -> bool {
    predis_shard::glob_matches(&pattern.to_ascii_lowercase(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*", "maxmemory", true),
            ("", "maxmemory", false),
            ("maxmemory", "maxmemory", true),
            ("MaxMemory*", "maxmemory-policy", true),
            ("maxmemory", "maxmemory-policy", false),
            ("*mem*ol*y", "maxmemory-policy", true),
            ("max?emory", "maxmemory", true),
            ("[a-m]ax*", "maxclients", true),
            ("[^a-m]ax*", "maxclients", false),
            (r"max\memory", "maxmemory", true),
            ("get[", "get", false),
            ("client|*", "client|id", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name), expected, "{pattern} {name}");
        }
        let long = "a".repeat(5_000);
        assert!(!matches("*a".repeat(1_000).as_bytes(), &(long + "b")), "and it took no exponential time");
    }
}
