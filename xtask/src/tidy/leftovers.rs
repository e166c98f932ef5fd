//! Rule `leftovers`: nothing is left for later in the tree; what is to be done is written down elsewhere.
//!
//! Owns the words. They are spelled in two halves here, so that this file passes its own rule.

use crate::report::Violation;
use crate::rust_source::{code_of, is_word};
use crate::tree::File;

const RULE: &str = "leftovers";

/// Marks that are refused anywhere, comments and texts included.
const MARKS: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];

/// Macros that are refused in Rust code.
const MACROS: [&str; 3] = [concat!("to", "do!"), concat!("unimpl", "emented!"), concat!("db", "g!")];

/// Looks through everything people write.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.is_written()) {
        find(file, &file.text, &MARKS, &mut violations);
        if file.is_rust() {
            find(file, &code_of(&file.text), &MACROS, &mut violations);
        }
    }
    violations
}

fn find(file: &File, text: &str, words: &[&str], violations: &mut Vec<Violation>) {
    for (index, line) in text.lines().enumerate() {
        for word in words.iter().filter(|word| has_word(line, word)) {
            let message = format!("`{word}`: finish it now, or take it out and write it down as work to do");
            violations.push(Violation::new(&file.path, index + 1, RULE, message));
        }
    }
}

/// Whether a line has the word, standing alone.
fn has_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    line.match_indices(word).any(|(at, _)| {
        let after = at + word.len();
        let begins = at == 0 || !is_word(bytes[at - 1]);
        begins && (word.ends_with('!') || after >= bytes.len() || !is_word(bytes[after]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&[File::new(path, text)]).len()
    }

    #[test]
    fn every_mark_is_found_in_comments_and_texts() {
        for mark in MARKS {
            assert_eq!(count("a/src/x.rs", &format!("//! A.\n// {mark}: later\n")), 1, "{mark}");
            assert_eq!(count("README.md", &format!("A ({mark}) here\n")), 1, "{mark}");
        }
    }

    #[test]
    fn every_macro_is_found_in_code_alone() {
        for name in MACROS {
            assert_eq!(count("a/src/x.rs", &format!("fn f() {{ {name}(); }}\n")), 1, "{name}");
            assert_eq!(count("a/src/x.rs", &format!("// not {name}()\n")), 0, "{name}");
            assert_eq!(count("README.md", &format!("no {name}()\n")), 0, "{name}");
        }
    }

    #[test]
    fn parts_of_words_pass() {
        let text = format!("{0}S and {1}ATHON and my_{2}\n", MARKS[0], MARKS[3], MACROS[2]);
        assert_eq!(count("a/src/x.rs", &text), 0);
    }
}
