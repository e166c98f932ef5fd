//! Just enough of Rust's lexical rules to tell code from comments and literals, and to measure functions.
//!
//! Owns a byte scanner that understands strings, raw strings, characters, lifetimes and nested comments. It is
//! deliberately no parser: it trusts that the compiler accepts the file.
//!
//! ```text
//! source:  let s = "fn x() {"; // fn y()
//! code:    let s = "        ";
//! ```

use std::ops::Range;

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name, without the type it belongs to.
    pub(crate) name: String,
    /// Line of the `fn` keyword, from 1.
    pub(crate) line: usize,
    /// Lines from the `fn` keyword to the closing brace, both counted.
    pub(crate) lines: usize,
}

/// The text with comments and the insides of literals replaced by spaces; offsets and line breaks stay.
pub(crate) fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (end, blank) = token(text, at);
        for offset in blank {
            if code[offset] != b'\n' {
                code[offset] = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(code).expect("only whole characters are blanked")
}

/// The code of [`code_of`] with items under `#[cfg(test)]` blanked too.
pub(crate) fn production_code_of(text: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let code = code_of(text);
    let mut kept = code.clone().into_bytes();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let end = item_end(code.as_bytes(), start + MARK.len());
        for byte in &mut kept[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    String::from_utf8(kept).expect("whole items are blanked")
}

/// Every function with a body, nested ones too, in the order they begin. `code` comes from [`code_of`].
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut line = 1;
    for at in 0..bytes.len() {
        if bytes[at] == b'\n' {
            line += 1;
        }
        let Some(name) = function_name(code, at) else { continue };
        let Some(open) = body_start(bytes, name.end) else { continue };
        let close = closing_brace(bytes, open);
        let lines = bytes[at..close].iter().filter(|&&byte| byte == b'\n').count() + 1;
        found.push(Function { name: code[name].to_string(), line, lines });
    }
    found
}

/// Line, from 1, of a byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// Whether a byte may be part of an identifier.
pub(crate) fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The token that begins at `at`: where it ends, and which of its bytes are not code.
fn token(text: &str, at: usize) -> (usize, Range<usize>) {
    let bytes = text.as_bytes();
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let end = rest.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length);
        return (end, at..end);
    }
    if rest.starts_with(b"/*") {
        let end = block_comment_end(bytes, at);
        return (end, at..end);
    }
    match rest[0] {
        b'"' => {
            let end = quoted_end(bytes, at, b'"');
            (end, at + 1..inside(at, end))
        }
        b'\'' => match character_end(text, at) {
            Some(end) => (end, at + 1..inside(at, end)),
            None => (at + 1, at..at),
        },
        byte if is_word(byte) => {
            let length = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
            let word_end = at + length;
            match &bytes[at..word_end] {
                b"r" | b"br" | b"cr" => raw_string(bytes, word_end).unwrap_or((word_end, at..at)),
                _ => (word_end, at..at),
            }
        }
        _ => (at + 1, at..at),
    }
}

/// The end of a literal's inside: before the closing quote, but never before the opening one.
fn inside(start: usize, end: usize) -> usize {
    end.saturating_sub(1).max(start + 1)
}

/// The end of a `/* */` comment, which may hold others.
fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// The end of a literal with backslash escapes, its closing quote included.
fn quoted_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a character literal, or `None` when the quote begins a lifetime or a loop label.
fn character_end(text: &str, start: usize) -> Option<usize> {
    let first = text[start + 1..].chars().next()?;
    if first == '\\' {
        return Some(quoted_end(text.as_bytes(), start, b'\''));
    }
    let after = start + 1 + first.len_utf8();
    (text.as_bytes().get(after) == Some(&b'\'')).then_some(after + 1)
}

/// A raw string whose prefix ends at `prefix_end`, or `None` when it is an identifier after all.
fn raw_string(bytes: &[u8], prefix_end: usize) -> Option<(usize, Range<usize>)> {
    let hashes = bytes[prefix_end..].iter().take_while(|&&byte| byte == b'#').count();
    let open = prefix_end + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let mut closing = vec![b'"'];
    closing.resize(1 + hashes, b'#');
    let inside = open + 1;
    let length = bytes[inside..].windows(closing.len()).position(|window| window == closing);
    match length {
        Some(length) => Some((inside + length + closing.len(), inside..inside + length)),
        None => Some((bytes.len(), inside..bytes.len())),
    }
}

/// Where the name stands when the keyword `fn` begins at `at` and a name follows.
fn function_name(code: &str, at: usize) -> Option<Range<usize>> {
    let bytes = code.as_bytes();
    let begins_word = at == 0 || !(is_word(bytes[at - 1]) || bytes[at - 1] == b'#');
    if !begins_word || !bytes[at..].starts_with(b"fn") {
        return None;
    }
    let spaces = bytes[at + 2..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = at + 2 + spaces;
    let start = if bytes[start..].starts_with(b"r#") { start + 2 } else { start };
    let length = bytes[start..].iter().take_while(|&&byte| is_word(byte)).count();
    (spaces > 0 && length > 0).then_some(start..start + length)
}

/// The opening brace of an item's body, or `None` when a semicolon, or the end of what the item stands in,
/// comes first. A brace after `<` is a constant argument and is skipped.
fn body_start(bytes: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_i32;
    let mut at = from;
    let mut before = 0;
    while at < bytes.len() && depth >= 0 {
        match bytes[at] {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' | b'}' if depth == 0 => return None,
            b'{' if depth == 0 && before == b'<' => at = closing_brace(bytes, at) - 1,
            b'{' if depth == 0 => return Some(at),
            _ => {}
        }
        if !bytes[at].is_ascii_whitespace() {
            before = bytes[at];
        }
        at += 1;
    }
    None
}

/// The offset after the brace that closes the one at `open`; the text's end when there is none.
fn closing_brace(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0;
    for (offset, byte) in bytes[open..].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    bytes.len()
}

/// The offset after the item that begins at `from`: its body's closing brace or its semicolon.
fn item_end(bytes: &[u8], from: usize) -> usize {
    match body_start(bytes, from) {
        Some(open) => closing_brace(bytes, open),
        None => bytes[from..].iter().position(|&byte| byte == b';').map_or(bytes.len(), |end| from + end + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(text: &str) -> Vec<(String, usize, usize)> {
        functions(&code_of(text)).into_iter().map(|found| (found.name, found.line, found.lines)).collect()
    }

    fn one(name: &str, line: usize, lines: usize) -> Vec<(String, usize, usize)> {
        vec![(name.to_string(), line, lines)]
    }

    #[test]
    fn comments_and_literals_are_blanked_and_offsets_stay() {
        let text = "let s = \"fn é {\"; // fn y\nlet t = 1; /* a /* b */ { */ let u = 2;";
        let code = code_of(text);
        assert_eq!(code.len(), text.len());
        assert!(!code.contains("fn"));
        assert!(!code.contains('{'));
        assert!(code.contains("let t = 1;") && code.contains("let u = 2;"));
        assert_eq!(code.matches('\n').count(), 1);
    }

    #[test]
    fn raw_strings_end_only_at_their_own_hashes() {
        let code = code_of(r####"a(r#"x " { "#); b(br"{"); c(r##"}"# "##); r#type; d"####);
        assert!(!code.contains('{') && !code.contains('}'));
        assert!(code.contains("r#type; d"));
    }

    #[test]
    fn escapes_do_not_end_a_literal() {
        let code = code_of(r#"a("\\"); b("\"{"); c('\''); d('\\'); e('\u{7b}'); f(b'{');"#);
        assert!(!code.contains('{') && !code.contains('}'));
        assert!(code.ends_with(");"));
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_not() {
        let code =
            code_of("fn f<'a>(x: &'a str, c: char) -> bool { 'outer: loop { c == '{' || c == '\"' } }");
        assert!(code.contains("&'a str") && code.contains("'outer: loop"));
        assert_eq!(code.matches('{').count(), 2);
        assert!(!code.contains('"'));
    }

    #[test]
    fn unfinished_literals_do_not_panic() {
        for text in
            ["\"", "'", "'\\", "r#\"", "/*", "/* /* */", "\"\\", "fn", "fn f(", "fn f() {", "'é", "b'"]
        {
            functions(&code_of(text));
            production_code_of(text);
        }
    }

    #[test]
    fn a_function_is_measured_from_keyword_to_brace() {
        assert_eq!(measured("//! x\n\nfn f() {\n    g();\n}\n"), one("f", 3, 3));
        assert_eq!(measured("fn f() {}"), one("f", 1, 1));
    }

    #[test]
    fn signatures_over_lines_and_where_clauses_count() {
        let text = "pub fn f<T>(\n    a: [u8; 4],\n) -> T\nwhere\n    T: Default,\n{\n    T::default()\n}\n";
        assert_eq!(measured(text), one("f", 1, 8));
    }

    #[test]
    fn declarations_pointers_and_closures_are_no_functions() {
        assert!(
            measured("trait T { fn f(&self) -> [u8; 2]; }\ntype F = fn(u8) -> u8;\nstatic C: u8 = 1;")
                .is_empty()
        );
    }

    #[test]
    fn declarations_in_macros_take_no_body_from_what_follows() {
        assert!(measured("weak!(fn f(u8) -> u8);\nmod m {\n}\n").is_empty());
        assert!(measured("weak! { fn f(u8) -> u8 }\nmod m {\n}\n").is_empty());
    }

    #[test]
    fn braces_in_literals_do_not_end_a_function() {
        assert_eq!(measured("fn f() {\n    g(\"}\", '}', r#\"}\"#); // }\n    /* } */\n}\n"), one("f", 1, 4));
    }

    #[test]
    fn nested_functions_are_measured_too() {
        let found = measured("fn outer() {\n    fn inner() {\n    }\n}\n");
        assert_eq!(found, [one("outer", 1, 4), one("inner", 2, 2)].concat());
    }

    #[test]
    fn constant_arguments_are_not_bodies() {
        assert_eq!(measured("fn f() -> Array<{ N + 1 }> {\n    x()\n}\n"), one("f", 1, 3));
    }

    #[test]
    fn test_items_are_no_production_code() {
        let text =
            "fn a() { x() }\n#[cfg(test)]\nmod tests {\n    fn b() { std::fs::read() }\n}\nfn c() {}\n";
        let code = production_code_of(text);
        assert!(code.contains("fn a") && code.contains("fn c"));
        assert!(!code.contains("fn b"));
        let declared = production_code_of("#[cfg(test)]\nmod tests;\nfn c() {}\n");
        assert!(declared.contains("fn c") && !declared.contains("tests"));
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_at("a\nb\n", 0), 1);
        assert_eq!(line_at("a\nb\n", 2), 2);
    }
}
