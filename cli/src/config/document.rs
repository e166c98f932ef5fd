//! A configuration file as text: which fields it has, and on which lines. Does not know what they may be.

use super::{
    fields::{self, Kind},
    problem::{Origin, Problem, Problems},
};
use serde_json::Value;
use std::path::Path;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A file that was read.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// What it is called in messages.
    pub(crate) name: String,
    /// Field, value and line, as they stand there.
    pub(crate) entries: Vec<(String, Value, usize)>,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no TOML.
    pub(crate) fn read(path: &Path) -> Result<Document, Problems> {
        let text = std::fs::read_to_string(path).map_err(|error| Problem {
            field: Some("config".to_owned()),
            rule: format!("must be a file that can be read ({error})"),
            value: Some(path.display().to_string().into()),
            origin: Origin::Default,
        })?;
        Document::parse(&path.display().to_string(), &text)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When it is no TOML.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Document, Problems> {
        let parsed = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Problem {
                field: None,
                rule: format!("TOML parse error: {}", error.message()),
                value: None,
                origin: Origin::File(name.to_owned(), line_of(text, at)),
            }
        })?;
        let mut document = Document { name: name.to_owned(), entries: Vec::new() };
        document.take("", text, parsed.get_ref());
        document.entries.sort_by_key(|(_, _, line)| *line);
        Ok(document)
    }

    fn take(&mut self, prefix: &str, text: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = match key.get_ref() {
                // A dot within quotes makes no table.
                dotted if dotted.contains('.') => format!("{prefix}\"{dotted}\""),
                plain => format!("{prefix}{plain}"),
            };
            match value.get_ref() {
                DeValue::Table(inner) if is_table(&name) => {
                    self.take(&format!("{name}."), text, inner);
                }
                _ => self.entries.push((name, json(value), line_of(text, key.span().start))),
            }
        }
    }

    /// What stands for a field, and on which line.
    pub(crate) fn get(&self, key: &str) -> Option<(&Value, usize)> {
        self.entries.iter().find(|(name, _, _)| name == key).map(|(_, value, line)| (value, *line))
    }

    /// The fields that do not exist.
    pub(crate) fn unknown(&self) -> Vec<Problem> {
        let known: Vec<&str> = fields::fields().iter().map(|field| field.key.as_str()).collect();
        let unknown = self.entries.iter().filter(|(name, _, _)| !known.contains(&name.as_str()));
        let problem = |(name, value, line): &(String, Value, usize)| {
            let origin = Origin::File(self.name.clone(), *line);
            if is_table(name) {
                let rule = format!("must be a table, [{name}]");
                return Problem { field: Some(name.clone()), rule, value: Some(value.clone()), origin };
            }
            let rule = format!("unknown field `{name}`, expected one of {}", known.join(", "));
            Problem { field: None, rule, value: None, origin }
        };
        unknown.map(problem).collect()
    }
}

/// Whether settings stand in a table of this name.
fn is_table(name: &str) -> bool {
    fields::fields().iter().any(|field| field.key.split_once('.').is_some_and(|(table, _)| table == name))
}

/// The line of a position, from 1.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// A value as JSON has it; what JSON does not have becomes a text.
fn json(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| number.to_string().into(), Value::from),
        DeValue::Float(number) => {
            number.as_str().parse::<f64>().map_or_else(|_| number.to_string().into(), Value::from)
        }
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(values) => values.iter().map(json).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value))).collect()
        }
    }
}

/// What a text, from a flag or a variable, is for a field: a number or a truth value where that is wanted and the text
/// is one, else the text.
pub(crate) fn typed(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Text | Kind::Choice(_) => text.into(),
        Kind::List => text.split(',').map(str::trim).collect(),
        Kind::Whole(..) => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        Kind::Switch => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => true.into(),
            "false" | "f" | "no" | "n" | "off" | "0" => false.into(),
            _ => text.into(),
        },
    }
}
