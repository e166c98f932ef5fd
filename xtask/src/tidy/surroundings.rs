//! Rule `surroundings`: the tree speaks of the project alone, and builds anywhere.
//!
//! Owns the folders of particular machines that may not be named, spelled in two halves so that this file
//! passes its own rule, and the one registry that the lock file may name.

use crate::report::Violation;
use crate::rust_source::is_word;
use crate::tree::File;

const RULE: &str = "surroundings";

/// Absolute folders that exist on somebody's machine only.
const PLACES: [&str; 7] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/tmp/", "brief"),
    concat!("/tmp/", "t/"),
    concat!("/opt/", "wheels"),
    concat!("/home/", "user/"),
    concat!("/Us", "ers/"),
];

/// The only source a locked package may have.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Looks through every text file.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            for place in PLACES.iter().filter(|place| names(line, place)) {
                let message = format!("`{place}` is one machine's folder: use a relative path or a variable");
                violations.push(Violation::new(&file.path, index + 1, RULE, message));
            }
            if file.path.ends_with("Cargo.lock") && is_foreign(line) {
                let message = "a package from somewhere else than crates.io: lock it from there";
                violations.push(Violation::new(&file.path, index + 1, RULE, message));
            }
        }
    }
    violations
}

/// Whether the line names the folder from the file system's root, not as a part of a longer path.
fn names(line: &str, place: &str) -> bool {
    let continues = |byte: u8| is_word(byte) || matches!(byte, b'.' | b'-' | b'}' | b'/');
    line.match_indices(place).any(|(at, _)| at == 0 || !continues(line.as_bytes()[at - 1]))
}

/// Whether a line of the lock file names a source other than crates.io.
fn is_foreign(line: &str) -> bool {
    line.strip_prefix("source = \"").is_some_and(|source| source.trim_end_matches('"') != REGISTRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&[File::new(path, text)]).len()
    }

    #[test]
    fn every_place_is_found_in_any_text() {
        for place in PLACES {
            assert_eq!(count("docs/a.md", &format!("see `{place}x`\n")), 1, "{place}");
            assert_eq!(count("a/golden/x.txt", &format!("path={place}x\n")), 1, "{place}");
        }
    }

    #[test]
    fn relative_paths_pass() {
        for place in PLACES {
            assert_eq!(
                count("a.rs", &format!("open(\"node{place}x\") ..{place} ${{DIR}}{place}\n")),
                0,
                "{place}"
            );
        }
    }

    #[test]
    fn locked_packages_come_from_one_registry() {
        assert_eq!(count("Cargo.lock", &format!("source = \"{REGISTRY}\"\n")), 0);
        assert_eq!(count("Cargo.lock", "source = \"registry+https://mirror.example/index\"\n"), 1);
        assert_eq!(count("a/fuzz/Cargo.lock", "source = \"git+https://example.org/x#1\"\n"), 1);
        assert_eq!(count("notes.md", "source = \"git+https://example.org/x#1\"\n"), 0);
    }
}
