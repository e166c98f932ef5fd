//! Rule `whitespace`: no tabs, no spaces at a line's end, one line break at the file's end.
//!
//! Owns what rustfmt does not reach: comments, literals and the files that are not Rust.

use crate::report::Violation;
use crate::tree::File;

const RULE: &str = "whitespace";

/// Looks through everything people write.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    files.iter().filter(|file| file.is_written()).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in file.text.split('\n').enumerate() {
        if line.contains('\t') {
            let message = "a tab: write spaces, or \\t in a literal";
            violations.push(Violation::new(&file.path, index + 1, RULE, message));
        }
        if line.ends_with([' ', '\t', '\r']) {
            let message = "whitespace at the end of the line: remove it";
            violations.push(Violation::new(&file.path, index + 1, RULE, message));
        }
    }
    let ends_well = file.text.is_empty() || (file.text.ends_with('\n') && !file.text.ends_with("\n\n"));
    if !ends_well {
        let line = file.text.lines().count();
        let message = "end the file with exactly one line break";
        violations.push(Violation::new(&file.path, line, RULE, message));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&[File::new(path, text)]).into_iter().map(|found| found.line).collect()
    }

    #[test]
    fn each_kind_is_found_where_it_stands() {
        assert_eq!(lines("a.rs", "a\n\tb\n"), [2]);
        assert_eq!(lines("a.md", "a \nb\n"), [1]);
        assert_eq!(lines("a.toml", "a\r\n"), [1]);
        assert_eq!(lines("a.rs", "a"), [1]);
        assert_eq!(lines("a.rs", "a\n\n"), [2]);
        assert_eq!(lines(".ci/run", "a\n\tb\n"), [2]);
    }

    #[test]
    fn clean_files_and_data_pass() {
        assert!(lines("a.rs", "a\n\nb\n").is_empty());
        assert!(lines("a.rs", "").is_empty());
        assert!(lines("a/golden/x.txt", "a \r\n\tb").is_empty());
    }
}
