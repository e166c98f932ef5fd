//! Rule `docs`: every Rust file opens by saying what it owns.
//!
//! Owns the first line only; whether the words are true is for the reader.

use crate::report::Violation;
use crate::tree::File;

/// Looks at the first line of every Rust file: sources, tests, benches, fuzz targets and build scripts alike.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let silent = files.iter().filter(|file| file.is_rust() && !says_something(&file.text));
    silent
        .map(|file| {
            let message = "open the file with `//!`: what it owns, and what it deliberately does not know";
            Violation::new(&file.path, 1, "docs", message)
        })
        .collect()
}

fn says_something(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_files_are_found() {
        for text in
            ["", "\n//! Late.\n", "//!\n//! Late.\n", "// Not for readers of docs.\n", "fn main() {}\n"]
        {
            assert_eq!(check(&[File::new("a/fuzz/fuzz_targets/x.rs", text)]).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn files_that_speak_and_other_files_pass() {
        assert_eq!(check(&[File::new("a/build.rs", "//! Makes it.\n"), File::new("README.md", "# R\n")]), []);
    }
}
