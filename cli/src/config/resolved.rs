//! The settings of a node: for each field the first source that says something, checked.

use super::{
    document::{self, Document},
    fields::{self, Field},
    file::File,
    flags::Flags,
    problem::{Origin, Problem, Problems},
    rules,
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// The prefix of all variables.
const PREFIX: &str = "PREDIS_";

/// The variable that names the file.
pub(crate) const FILE_VARIABLE: &str = "PREDIS_CONFIG";

/// The environment variables that concern Predis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(pub(crate) BTreeMap<String, OsString>);

impl Variables {
    /// Those of this process. An empty one says nothing.
    pub(crate) fn of_process() -> Variables {
        let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Variables(named.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect())
    }

    /// The names of those that are no setting of a node.
    pub(crate) fn others(&self) -> Vec<&str> {
        let is_ours =
            |name: &str| name == FILE_VARIABLE || fields::fields().iter().any(|field| field.variable == name);
        self.0.keys().map(String::as_str).filter(|name| !is_ours(name)).collect()
    }
}

/// What decides how a node is configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The file, if one is named by a flag.
    pub(crate) config: Option<PathBuf>,
    /// Whether a cluster is founded.
    pub(crate) bootstrap: bool,
    /// What the command line says.
    pub(crate) flags: Flags,
    /// What the environment says.
    pub(crate) variables: Variables,
}

impl Sources {
    /// The file that is read, if there is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.config.clone().or_else(|| self.variables.0.get(FILE_VARIABLE).map(PathBuf::from))
    }

    /// Reads the file and puts everything together.
    ///
    /// # Errors
    /// All that is wrong.
    pub(crate) fn resolve(&self) -> Result<Resolved, Problems> {
        let document = self.path().as_deref().map(Document::read).transpose()?;
        self.resolve_with(&document.unwrap_or_default())
    }

    /// Puts everything together with a file that was read.
    ///
    /// # Errors
    /// All that is wrong.
    pub(crate) fn resolve_with(&self, document: &Document) -> Result<Resolved, Problems> {
        let mut problems = document.unknown();
        let mut settings = Vec::new();
        for field in fields::fields() {
            let (value, origin) = self.first(field, document)?;
            problems.extend(value.as_ref().and_then(|value| rules::broken(field, value, &origin)));
            settings.push(Setting { field, value, origin });
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let resolved = Resolved::new(settings)?;
        let problems = rules::together(&resolved, self.bootstrap);
        if problems.is_empty() { Ok(resolved) } else { Err(Problems(problems)) }
    }

    /// Flag, variable, file, default: the first that says something.
    fn first(&self, field: &'static Field, document: &Document) -> Result<(Option<Value>, Origin), Problem> {
        if let Some(text) = self.flags.0.get(&*field.key) {
            return Ok((Some(document::typed(&field.kind, text)), Origin::Flag(&field.flag)));
        }
        if let Some(text) = self.variables.0.get(&field.variable) {
            let origin = Origin::Variable(field.variable.clone());
            let Some(text) = text.to_str() else {
                let rule = "must be UTF-8".to_owned();
                return Err(Problem { field: Some(field.key.clone()), rule, value: None, origin });
            };
            return Ok((Some(document::typed(&field.kind, text)), origin));
        }
        if let Some((value, line)) = document.get(&field.key) {
            return Ok((Some(value.clone()), Origin::File(document.name.clone(), line)));
        }
        Ok((field.default.clone(), Origin::Default))
    }
}

/// A field with its value.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// Which one.
    pub(crate) field: &'static Field,
    /// Its value; none when it has no default and nobody says anything.
    pub(crate) value: Option<Value>,
    /// Where that is from.
    pub(crate) origin: Origin,
}

impl Setting {
    /// The value for people: a text as it is.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            None => "none".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(values)) => {
                values.iter().map(|value| value.as_str().unwrap_or_default()).collect::<Vec<_>>().join(",")
            }
            Some(value) => value.to_string(),
        }
    }

    /// Says that the value breaks a rule.
    pub(crate) fn problem(&self, rule: impl Into<String>) -> Problem {
        Problem {
            field: Some(self.field.key.clone()),
            rule: rule.into(),
            value: self.value.clone(),
            origin: self.origin.clone(),
        }
    }
}

/// All settings, checked.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// One by one, in the order of [`fields::fields`].
    pub(crate) settings: Vec<Setting>,
    /// The same, typed.
    pub(crate) file: File,
}

impl Resolved {
    fn new(settings: Vec<Setting>) -> Result<Resolved, Problem> {
        let mut root = Map::new();
        for Setting { field, value, .. } in &settings {
            let Some(value) = value.clone() else { continue };
            match field.key.split_once('.') {
                None => {
                    root.insert(field.key.clone(), value);
                }
                Some((table, key)) => {
                    let table = root.entry(table).or_insert_with(|| Map::new().into());
                    table[key] = value;
                }
            }
        }
        let file: File = serde_json::from_value(root.into()).map_err(|error| Problem {
            field: None,
            rule: error.to_string(),
            value: None,
            origin: Origin::Default,
        })?;
        let mut resolved = Resolved { settings, file };
        resolved.name_the_nameless();
        Ok(resolved)
    }

    /// A node without a name is called after its port.
    fn name_the_nameless(&mut self) {
        if self.file.name.is_none() {
            let port = self.file.listen.rsplit_once(':').map_or("0", |(_, port)| port);
            let name = format!("predis-{port}");
            self.file.name = Some(name.clone());
            let setting = self.settings.iter_mut().find(|setting| setting.field.key == "name");
            setting.expect("a field").value = Some(name.into());
        }
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is no such field.
    pub(crate) fn setting(&self, key: &str) -> &Setting {
        self.settings.iter().find(|setting| setting.field.key == key).expect("a field of this name")
    }
}
