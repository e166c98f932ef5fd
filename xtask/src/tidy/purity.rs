//! Rule `purity`: the sources of pure rooms name nothing that touches the world.
//!
//! Owns the words. Comments, literals, and tests (items under `#[cfg(test)]`, files called `tests.rs`, folders
//! called `tests`) are free: a golden file has to be read from somewhere.

use super::rooms::ROOMS;
use crate::report::Violation;
use crate::rust_source::{is_word, line_at, production_code_of};
use crate::tree::File;

const RULE: &str = "purity";

/// What may not be named, and what to do instead.
const WORLDLY: &[(&str, &str)] = &[
    ("std::net", "pass messages in and out"),
    ("std::fs", "pass bytes in and out"),
    ("std::env", "take configuration as a value"),
    ("std::process", "answer an error"),
    ("std::thread", "let the caller choose the thread"),
    ("stdin", "pass bytes in"),
    ("stdout", "pass bytes out"),
    ("stderr", "answer an error"),
    ("println!", "answer a value"),
    ("eprintln!", "answer an error"),
    ("tokio::", "let the caller wait"),
    ("SystemTime", "take the time as a parameter (predis_types::Clock)"),
    ("Instant::now", "take the time as a parameter (predis_types::Clock)"),
    ("thread_rng", "take randomness as a parameter (predis_types::Rng)"),
    ("OsRng", "take randomness as a parameter (predis_types::Rng)"),
    ("RandomState", "take the hash key as a parameter"),
];

/// Looks through the sources of every pure room.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    files.iter().filter(|file| is_pure(&file.path)).flat_map(check_file).collect()
}

/// Whether the file is production source of a pure room.
fn is_pure(path: &str) -> bool {
    let room = ROOMS.iter().filter(|room| room.pure_room).any(|room| {
        path.strip_prefix(room.folder).is_some_and(|rest| rest.starts_with("/src/") && rest.ends_with(".rs"))
    });
    room && !path.ends_with("/tests.rs") && !path.contains("/tests/")
}

fn check_file(file: &File) -> Vec<Violation> {
    let code = production_code_of(&file.text);
    let mut violations = Vec::new();
    for (word, remedy) in WORLDLY {
        let offsets = mentions(&code, word).into_iter().chain(grouped(&code, word));
        for offset in offsets {
            let message = format!("`{word}` in a pure crate: {remedy}");
            violations.push(Violation::new(&file.path, line_at(&code, offset), RULE, message));
        }
    }
    violations
}

/// Where a path stands in the code as whole words.
fn mentions(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let whole = |at: usize| {
        let after = at + word.len();
        let begins = at == 0 || !is_word(bytes[at - 1]);
        let ends = word.ends_with([':', '!']) || after >= bytes.len() || !is_word(bytes[after]);
        begins && ends
    };
    code.match_indices(word).map(|(at, _)| at).filter(|&at| whole(at)).collect()
}

/// Where `std::x` is imported as a member of a `std::{...}` group.
fn grouped(code: &str, word: &str) -> Vec<usize> {
    let Some(member) = word.strip_prefix("std::") else { return Vec::new() };
    let mut found = Vec::new();
    for (at, opening) in code.match_indices("std::{") {
        let mut depth = 0_i32;
        let mut fresh = true;
        for (offset, character) in code[at + opening.len()..].char_indices() {
            let here = at + opening.len() + offset;
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                _ if character.is_whitespace() => {}
                _ if depth == 0 && fresh => {
                    fresh = false;
                    let rest = &code[here..];
                    let length = rest.bytes().take_while(|&byte| is_word(byte)).count();
                    if &rest[..length] == member {
                        found.push(here);
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&[File::new(path, text)]).into_iter().map(|found| found.line).collect()
    }

    #[test]
    fn every_word_is_found() {
        for (word, _) in WORLDLY {
            assert_eq!(lines("node/shard/src/a.rs", &format!("//! A.\nuse {word};\n")), [2], "{word}");
        }
    }

    #[test]
    fn members_of_a_group_are_found() {
        let text = "use std::{\n    collections::{self, fs},\n    fs,\n    net::TcpStream,\n};\n";
        assert_eq!(lines("router/src/a.rs", text), [4, 3]);
        assert!(lines("router/src/a.rs", "use std::{fmt, collections::BTreeMap};\n").is_empty());
    }

    #[test]
    fn only_whole_words_count() {
        assert!(
            lines("router/src/a.rs", "use std::network; use std::iota; let x = my_thread_rng();\n")
                .is_empty()
        );
    }

    #[test]
    fn comments_literals_and_tests_are_free() {
        let text =
            "//! Not std::fs.\nconst A: &str = \"tokio::\";\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert!(lines("raft/meta/src/lib.rs", text).is_empty());
        assert!(lines("raft/meta/src/state/tests.rs", "use std::fs;\n").is_empty());
    }

    #[test]
    fn impure_rooms_are_free() {
        assert!(lines("node/src/boot.rs", "use std::net;\n").is_empty());
        assert!(lines("raft/src/store.rs", "use std::fs;\n").is_empty());
        assert_eq!(lines("raft/meta/src/store.rs", "use std::fs;\n"), [1]);
    }
}
