//! Rule `sizes`: files up to 400 lines, functions up to 70, and a ratchet for those that are over.
//!
//! Owns the limits and the file of recorded sizes. What is recorded may shrink, never grow; what has shrunk is
//! recorded anew, so that it does not grow back.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::report::Violation;
use crate::rust_source::{code_of, functions};
use crate::tree::File;

const RULE: &str = "sizes";

/// Lines a file may have.
const FILE_LINES: usize = 400;

/// Lines a function may have, from the `fn` keyword to the closing brace.
const FUNCTION_LINES: usize = 70;

const HEADER: &str = "\
# Files over 400 lines and functions over 70, with the size they may not exceed.
# Written by `cargo xtask tidy --bless`; shorter is better, empty is best.
";

/// What is over its limit: `file PATH` or `fn PATH NAME`, and its lines. Of functions that share a name in one
/// file the longest counts.
pub(crate) type Sizes = BTreeMap<String, usize>;

/// A size over its limit, and where to look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    lines: usize,
    path: String,
    line: usize,
}

/// Everything in the Rust sources that is over its limit.
pub(crate) fn measure(files: &[File]) -> BTreeMap<String, Measured> {
    let mut over = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            let measured = Measured { lines, path: file.path.clone(), line: 0 };
            over.insert(format!("file {}", file.path), measured);
        }
        for function in functions(&code_of(&file.text)) {
            let key = format!("fn {} {}", file.path, function.name);
            let longest = over.get(&key).map_or(FUNCTION_LINES, |other: &Measured| other.lines);
            if function.lines > longest {
                let measured =
                    Measured { lines: function.lines, path: file.path.clone(), line: function.line };
                over.insert(key, measured);
            }
        }
    }
    over
}

/// Holds what was measured against what is recorded.
pub(crate) fn check(recorded: &Sizes, measured: &BTreeMap<String, Measured>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (key, now) in measured {
        let limit = if key.starts_with("fn ") { FUNCTION_LINES } else { FILE_LINES };
        let lines = now.lines;
        let message = match recorded.get(key) {
            None => format!("`{key}` has {lines} lines, over {limit}: split it"),
            Some(&before) if lines > before => {
                format!("`{key}` grew from {before} lines to {lines}: split it, or shorten it to {before}")
            }
            Some(&before) if lines < before => {
                format!("`{key}` shrank from {before} lines to {lines}: run `cargo xtask tidy --bless`")
            }
            Some(_) => continue,
        };
        violations.push(Violation::new(&now.path, now.line, RULE, message));
    }
    for key in recorded.keys().filter(|key| !measured.contains_key(*key)) {
        let message = format!("`{key}` is no longer over its limit: run `cargo xtask tidy --bless`");
        violations.push(Violation::new(super::SIZES, 0, RULE, message));
    }
    violations
}

/// The sizes to record: what has shrunk lowered, what is gone dropped; grown and new only when allowed.
pub(crate) fn bless(recorded: &Sizes, measured: &BTreeMap<String, Measured>, allow_growth: bool) -> Sizes {
    let mut blessed = Sizes::new();
    for (key, now) in measured {
        match recorded.get(key) {
            _ if allow_growth => blessed.insert(key.clone(), now.lines),
            Some(&before) => blessed.insert(key.clone(), now.lines.min(before)),
            None => None,
        };
    }
    blessed
}

/// The recorded sizes as text.
pub(crate) fn render(sizes: &Sizes) -> String {
    let mut text = HEADER.to_string();
    for (key, lines) in sizes {
        text.push_str(&format!("{key} {lines}\n"));
    }
    text
}

/// Reads what [`render`] wrote.
///
/// # Errors
/// A line that is neither a comment nor `file PATH LINES` nor `fn PATH NAME LINES`.
pub(crate) fn parse(text: &str) -> anyhow::Result<Sizes> {
    let mut sizes = Sizes::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, lines) = line.rsplit_once(' ').with_context(|| format!("not a size: `{line}`"))?;
        let parts = key.split(' ').count();
        let known = (key.starts_with("file ") && parts == 2) || (key.starts_with("fn ") && parts == 3);
        anyhow::ensure!(known, "not a size: `{line}`");
        let lines = lines.parse().with_context(|| format!("not a number of lines: `{line}`"))?;
        sizes.insert(key.to_string(), lines);
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of `lines` lines, all of it one function.
    fn file(lines: usize) -> File {
        File::new("a/src/x.rs", format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2)))
    }

    fn recorded(function: usize) -> Sizes {
        Sizes::from([("fn a/src/x.rs f".to_string(), function)])
    }

    fn messages(recorded: &Sizes, lines: usize) -> Vec<String> {
        check(recorded, &measure(&[file(lines)])).into_iter().map(|found| found.message).collect()
    }

    #[test]
    fn limits_are_inclusive() {
        assert!(messages(&Sizes::new(), 70).is_empty());
        assert_eq!(messages(&Sizes::new(), 71).len(), 1);
        assert_eq!(measure(&[file(400)]).len(), 1);
        assert_eq!(measure(&[file(401)]).len(), 2);
    }

    #[test]
    fn new_grown_shrunk_and_vanished_are_told_apart() {
        assert!(messages(&Sizes::new(), 80)[0].contains("over 70"));
        assert!(messages(&recorded(75), 80)[0].contains("grew from 75 lines to 80"));
        assert!(messages(&recorded(90), 80)[0].contains("shrank"));
        assert!(messages(&recorded(90), 60)[0].contains("no longer"));
        assert!(messages(&recorded(80), 80).is_empty());
    }

    #[test]
    fn blessing_only_lowers_unless_growth_is_allowed() {
        let measured = measure(&[file(80)]);
        assert_eq!(bless(&recorded(90), &measured, false), recorded(80));
        assert_eq!(bless(&recorded(75), &measured, false), recorded(75));
        assert_eq!(bless(&Sizes::new(), &measured, false), Sizes::new());
        assert_eq!(bless(&recorded(75), &measured, true), recorded(80));
        assert_eq!(bless(&Sizes::new(), &measured, true), recorded(80));
        assert_eq!(bless(&recorded(90), &measure(&[file(60)]), true), Sizes::new());
    }

    #[test]
    fn of_functions_with_one_name_the_longest_counts() {
        let text = format!("{}{}{}", file(75).text, file(90).text, file(80).text);
        let measured = measure(&[File::new("a/src/x.rs", text)]);
        assert_eq!(measured["fn a/src/x.rs f"], Measured { lines: 90, path: "a/src/x.rs".into(), line: 76 });
    }

    #[test]
    fn what_is_written_is_read_back() {
        let sizes = Sizes::from([("file a.rs".to_string(), 500), ("fn a.rs f".to_string(), 90)]);
        assert_eq!(parse(&render(&sizes)).unwrap(), sizes);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["file a.rs", "file a.rs many", "folder a.rs 5", "fn a.rs 5", "5"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
