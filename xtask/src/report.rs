//! What a check found, and how it is told to a person or to a program.
//!
//! Knows nothing of the rules themselves.

use serde::Serialize;

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Violation {
    /// Path relative to the workspace root, with forward slashes.
    pub(crate) path: String,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub(crate) line: usize,
    /// The rule's short name.
    pub(crate) rule: &'static str,
    /// What is wrong and what to do about it.
    pub(crate) message: String,
}

impl Violation {
    /// A violation at a line (from 1; 0 for the whole file).
    pub(crate) fn new(path: &str, line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Violation { path: path.to_string(), line, rule, message: message.into() }
    }
}

/// Prints the findings, sorted, and answers whether there were none.
pub(crate) fn tell(chore: &str, mut violations: Vec<Violation>, json: bool) -> anyhow::Result<bool> {
    violations.sort();
    let clean = violations.is_empty();
    if json {
        let document = serde_json::json!({ "chore": chore, "ok": clean, "violations": violations });
        println!("{}", serde_json::to_string_pretty(&document)?);
        return Ok(clean);
    }
    for violation in &violations {
        println!("{}", line_of(violation));
    }
    match violations.len() {
        0 => println!("{chore}: all well"),
        1 => println!("{chore}: 1 thing to mend"),
        count => println!("{chore}: {count} things to mend"),
    }
    Ok(clean)
}

/// `path:line: rule: what to do`.
fn line_of(violation: &Violation) -> String {
    format!("{}:{}: {}: {}", violation.path, violation.line, violation.rule, violation.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_place_rule_and_remedy() {
        let violation = Violation::new("a/b.rs", 7, "docs", "open it");
        assert_eq!(line_of(&violation), "a/b.rs:7: docs: open it");
    }

    #[test]
    fn the_verdict_is_whether_there_is_nothing_to_mend() {
        assert!(tell("test", vec![], true).unwrap());
        assert!(!tell("test", vec![Violation::new("a", 1, "docs", "open it")], true).unwrap());
    }
}
