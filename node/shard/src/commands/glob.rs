//! Glob patterns exactly as KEYS and SCAN MATCH understand them.
//!
//! `*` any bytes, `?` one byte, `[ab]` `[a-z]` `[^a]` one of a set, `\` takes the next byte literally. A mismatch
//! goes back to the last `*` only, which is enough because all else matches exactly one byte; so the time is at
//! most the product of both lengths, whatever the pattern. Knows nothing of keys.

/// Whether the pattern is `*` alone, which matches everything, even the empty key.
pub(crate) fn matches_all(pattern: &[u8]) -> bool {
    pattern == b"*"
}

/// Whether a key matches a pattern as a whole.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        // As in Redis, whose matcher does not look at the pattern when there is no text.
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where to go on after a mismatch: behind the last star, with one byte more given to it.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            retry = Some((p, t));
        } else if let Some(next) = one(pattern, p, text[t]) {
            (p, t) = (next, t + 1);
        } else if let Some((star, from)) = retry {
            (p, t) = (star, from + 1);
            retry = Some((star, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Matches one byte against the element at `p`, which is not a star. Where the next element begins, if it does.
fn one(pattern: &[u8], p: usize, byte: u8) -> Option<usize> {
    match pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => set(pattern, p + 1, byte),
        b'\\' => match pattern.get(p + 1) {
            Some(literal) => (*literal == byte).then_some(p + 2),
            None => (byte == b'\\').then_some(p + 1),
        },
        literal => (*literal == byte).then_some(p + 1),
    }
}

/// Matches one byte against the set whose first byte after the bracket is at `p`. One that is not closed ends with
/// the pattern.
fn set(pattern: &[u8], mut p: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(p) == Some(&b'^');
    if negated {
        p += 1;
    }
    let mut found = false;
    loop {
        match pattern.get(p..).unwrap_or_default() {
            [b'\\', literal, ..] => {
                found |= *literal == byte;
                p += 2;
            }
            [b']', ..] => {
                p += 1;
                break;
            }
            [] => break,
            [from, b'-', to, ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                p += 3;
            }
            [literal, ..] => {
                found |= *literal == byte;
                p += 1;
            }
        }
    }
    (found != negated).then_some(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", false),
            ("*", "anything", true),
            ("a*", "a", true),
            ("a**", "a", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hbllo", true),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("[a-]", "-", false),
            ("[a-]", "_", true),
            ("[a-]b", "]", true),
            ("[abc", "b", true),
            ("[abc", "d", false),
            ("[", "[", false),
            ("[^", "x", true),
            ("[]", "]", false),
            ("[\\]]", "]", true),
            ("[\\", "\\", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("\\", "\\", true),
            ("a\\", "a", false),
            ("*ab", "aab", true),
            ("*[0-9]x*", "abc7x", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_not_exponential() {
        let pattern = b"a*".repeat(200);
        let mut text = vec![b'a'; 2000];
        text.push(b'b');
        assert!(matches(&pattern, &text));
        assert!(!matches(&[&pattern[..], b"c"].concat(), &text));
    }
}
