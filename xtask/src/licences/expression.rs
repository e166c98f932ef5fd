//! SPDX licence expressions: `MIT OR (Apache-2.0 WITH LLVM-exception AND Zlib)`.
//!
//! Owns the grammar of SPDX 2.3, annex D, and the old `MIT/Apache-2.0` that crates.io still has, read as OR.
//! Knows no licence and permits none.

/// A licence expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// One licence, its `WITH` exception included, spelled with single spaces.
    Licence(String),
    /// All must be met.
    All(Vec<Expression>),
    /// One is enough.
    Any(Vec<Expression>),
}

impl Expression {
    /// Reads an expression. `WITH` binds closest, then `AND`, then `OR`.
    ///
    /// # Errors
    /// Says which part is missing or out of place.
    pub(crate) fn parse(text: &str) -> Result<Expression, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let expression = parser.any(0)?;
        match parser.peek() {
            None => Ok(expression),
            Some(token) => Err(format!("`{token}` is out of place")),
        }
    }

    /// Whether the expression is met when `permitted` says which licences are.
    pub(crate) fn is_met(&self, permitted: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Expression::Licence(licence) => permitted(licence),
            Expression::All(parts) => parts.iter().all(|part| part.is_met(permitted)),
            Expression::Any(parts) => parts.iter().any(|part| part.is_met(permitted)),
        }
    }
}

/// Parentheses may nest this deep; real expressions nest once or twice.
const DEEPEST: usize = 32;

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn take(&mut self, expected: &str) -> bool {
        let there = self.peek() == Some(expected);
        self.at += usize::from(there);
        there
    }

    fn any(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.all(depth)?];
        while self.take("OR") || self.take("/") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.one(depth)?];
        while self.take("AND") {
            parts.push(self.one(depth)?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn one(&mut self, depth: usize) -> Result<Expression, String> {
        if self.take("(") {
            if depth == DEEPEST {
                return Err("parentheses are nested too deep".into());
            }
            let inside = self.any(depth + 1)?;
            return if self.take(")") { Ok(inside) } else { Err("`)` is missing".into()) };
        }
        let licence = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Ok(Expression::Licence(format!("{licence} WITH {exception}")));
        }
        Ok(Expression::Licence(licence))
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek() {
            None => Err("a licence is missing at the end".into()),
            Some(token @ ("AND" | "OR" | "WITH" | "(" | ")" | "/")) => {
                Err(format!("a licence is missing before `{token}`"))
            }
            Some(name) => {
                let name = name.to_string();
                self.at += 1;
                Ok(name)
            }
        }
    }
}

/// The only part, or all of them under one operator.
fn one_or(mut parts: Vec<Expression>, operator: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1 { parts.remove(0) } else { operator(parts) }
}

/// Splits at spaces, parentheses and slashes.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        let belongs = character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '+' | ':');
        if belongs {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        match character {
            '(' | ')' | '/' => tokens.push(character.to_string()),
            _ if character.is_whitespace() => {}
            _ => return Err(format!("`{character}` does not belong in an expression")),
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(text: &str, permitted: &[&str]) -> bool {
        Expression::parse(text).unwrap().is_met(&|licence| permitted.contains(&licence))
    }

    #[test]
    fn one_of_several_is_enough_for_or() {
        assert!(met("MIT OR GPL-3.0-only", &["MIT"]));
        assert!(met("GPL-3.0-only/MIT", &["MIT"]));
        assert!(met("Apache-2.0 / MIT", &["MIT"]));
        assert!(!met("MIT OR GPL-3.0-only", &["Zlib"]));
    }

    #[test]
    fn all_are_needed_for_and() {
        assert!(met("MIT AND Zlib", &["MIT", "Zlib"]));
        assert!(!met("MIT AND Zlib", &["MIT"]));
    }

    #[test]
    fn and_binds_closer_than_or_and_parentheses_closest() {
        assert!(met("MIT OR Zlib AND GPL-3.0-only", &["MIT"]));
        assert!(!met("(MIT OR Zlib) AND Unicode-3.0", &["MIT"]));
        assert!(met("((MIT OR Zlib)) AND Unicode-3.0", &["Zlib", "Unicode-3.0"]));
    }

    #[test]
    fn an_exception_is_part_of_its_licence() {
        assert!(met("Apache-2.0  WITH  LLVM-exception", &["Apache-2.0 WITH LLVM-exception"]));
        assert!(!met("Apache-2.0 WITH LLVM-exception", &["Apache-2.0"]));
        assert!(met("Apache-2.0 WITH LLVM-exception OR MIT", &["MIT"]));
    }

    #[test]
    fn a_later_version_is_another_licence() {
        assert!(!met("Apache-2.0+", &["Apache-2.0"]));
    }

    #[test]
    fn broken_expressions_are_refused() {
        for text in
            ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Zlib", "MIT WITH", "MIT AND OR Zlib", "MIT, Zlib"]
        {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
        assert!(Expression::parse(&"(".repeat(100_000)).is_err());
    }
}
