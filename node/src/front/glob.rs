//! Glob patterns over names of parameters and commands, in whatever case: `*`, `?`, `[a-z]`, `[^a]`, `\`.
//!
//! Keys are matched by the shard, which has a matcher of its own.

/// Whether a name matches a pattern as a whole.
pub(super) fn matches(pattern: &[u8], name: &str) -> bool {
    let text = name.as_bytes();
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and how far the star reaches: all else matches one byte, so one way back is enough.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, t));
        } else if let Some(len) = element(&pattern[p..], text[t]) {
            p += len;
            t += 1;
        } else if let Some((after, reach)) = star {
            (p, t) = (after, reach + 1);
            star = Some((after, reach + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// The length of the pattern's first element, if it matches the byte.
fn element(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', literal, ..] => literal.eq_ignore_ascii_case(&byte).then_some(2),
        [b'[', inside @ ..] => {
            let close = inside.iter().position(|b| *b == b']').unwrap_or(inside.len());
            let (negated, set) = match &inside[..close] {
                [b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            (contains(set, byte.to_ascii_lowercase()) != negated).then_some((close + 2).min(pattern.len()))
        }
        [literal, ..] => literal.eq_ignore_ascii_case(&byte).then_some(1),
    }
}

fn contains(mut set: &[u8], byte: u8) -> bool {
    loop {
        match set {
            [] => return false,
            [low, b'-', high, rest @ ..] => {
                let (low, high) = (low.to_ascii_lowercase(), high.to_ascii_lowercase());
                if (low.min(high)..=low.max(high)).contains(&byte) {
                    return true;
                }
                set = rest;
            }
            [one, rest @ ..] => {
                if one.eq_ignore_ascii_case(&byte) {
                    return true;
                }
                set = rest;
            }
        }
    }
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
