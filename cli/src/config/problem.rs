//! What is wrong with a configuration, in words for people: the field, the value, the rule, and where the value is
//! from. Knows no rule.

use predis_node::tls::TlsError;
use serde_json::{Value, json};
use std::fmt;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag of the command line, by its name.
    Flag(&'static str),
    /// An environment variable, by its name.
    Variable(String),
    /// A file, and the line in it.
    File(String, usize),
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// Which of the four it is.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Origin::Flag(_) => "flag",
            Origin::Variable(_) => "variable",
            Origin::File(..) => "file",
            Origin::Default => "default",
        }
    }

    /// The line of a file.
    pub(crate) fn line(&self) -> Option<usize> {
        if let Origin::File(_, line) = self { Some(*line) } else { None }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) => write!(f, "--{name}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::File(path, line) => write!(f, "{path}, line {line}"),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The field it concerns; none where the file cannot be read at all.
    pub(crate) field: Option<String>,
    /// The rule that is broken, as `must be ...`.
    pub(crate) rule: String,
    /// What breaks it.
    pub(crate) value: Option<Value>,
    /// Where that is from.
    pub(crate) origin: Origin,
}

impl Problem {
    /// Certificates that are of no use; the error names setting, file and rule.
    pub(crate) fn of_tls(error: TlsError) -> Problem {
        Problem {
            field: None,
            rule: format!("{:#}", anyhow::Error::from(error)),
            value: None,
            origin: Origin::Default,
        }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "setting": self.field,
            "rule": self.rule,
            "value": self.value,
            "from": self.origin.kind(),
            "line": self.origin.line(),
            "message": self.to_string(),
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.rule)?;
        if let Some(value) = &self.value {
            write!(f, ", got {value}")?;
        }
        match &self.origin {
            Origin::Default => Ok(()),
            origin => write!(f, " ({origin})"),
        }
    }
}

/// Everything that is wrong, at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problems {
    /// One a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { "\n" })?;
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
