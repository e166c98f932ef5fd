//! The settings one by one, as the schema of [`File`] has them: names of flags and variables, defaults, rules.
//!
//! Adds nothing of its own: what is said about a field stands with the field.

use super::file::{File, Tls};
use schemars::{
    Schema,
    transform::{RecursiveTransform, Transform},
};
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use std::{fmt, sync::OnceLock};

/// What values look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A list of texts.
    List,
    /// A whole number from the first to the second.
    Whole(u64, u64),
    /// Yes or no.
    Switch,
    /// One of these.
    Choice(Vec<String>),
}

/// What it takes to change a setting of a running node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// SIGHUP.
    Reload,
    /// A restart.
    Restart,
    /// A new cluster.
    Founding,
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name in the file, with a dot behind the name of its table: `tls.key`.
    pub(crate) key: String,
    /// Its flag, without the hyphens in front.
    pub(crate) flag: String,
    /// Its environment variable.
    pub(crate) variable: String,
    /// What it means.
    pub(crate) meaning: String,
    /// What its value is called in help; none for a switch.
    pub(crate) value_name: Option<String>,
    /// What its value must be, as the rest of `must be ...`.
    pub(crate) rule: String,
    /// What values look like.
    pub(crate) kind: Kind,
    /// Its value when nobody says anything.
    pub(crate) default: Option<Value>,
    /// What it takes to change it.
    pub(crate) change: Change,
}

/// All settings, in the order of [`File`].
pub(crate) fn fields() -> &'static [Field] {
    static FIELDS: OnceLock<Vec<Field>> = OnceLock::new();
    FIELDS.get_or_init(|| {
        let schema = schema();
        let root = properties(schema.as_value());
        let mut fields = Vec::new();
        for name in names::<File>() {
            let property = &root[*name];
            if property["type"] == "object" {
                // The one table; a second needs a line here, and the compiler will not say so: a test does.
                let inner = names::<Tls>().iter();
                fields.extend(inner.map(|key| field(format!("{name}.{key}"), &properties(property)[*key])));
            } else {
                fields.push(field((*name).to_owned(), property));
            }
        }
        fields
    })
}

/// The JSON schema of the configuration file.
pub(crate) fn schema() -> Schema {
    let mut schema = schemars::schema_for!(File);
    // TOML has no null: a setting without a value is not there. Comments are one line each.
    let plain = |schema: &mut Schema| {
        let Some(object) = schema.as_object_mut() else { return };
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = text.replace('\n', " ");
        }
        if object.get("default").is_some_and(Value::is_null) {
            object.remove("default");
        }
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
    };
    RecursiveTransform(plain).transform(&mut schema);
    // The defaults of a table's fields stand with the fields.
    for property in properties_mut(&mut schema) {
        if property["type"] == "object"
            && let Some(object) = property.as_object_mut()
        {
            object.remove("default");
        }
    }
    schema
}

fn properties(schema: &Value) -> &Map<String, Value> {
    schema["properties"].as_object().expect("a table's schema has properties")
}

fn properties_mut(schema: &mut Schema) -> impl Iterator<Item = &mut Value> {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(Map::values_mut)
}

fn field(key: String, property: &Value) -> Field {
    let text = |name: &str| property[name].as_str().map(str::to_owned);
    let kind = kind(property);
    let change = match property["x-change"].as_str() {
        Some("reload") => Change::Reload,
        Some("founding") => Change::Founding,
        _ => Change::Restart,
    };
    Field {
        flag: key.replace(['.', '_'], "-"),
        variable: format!("PREDIS_{}", key.replace('.', "_").to_uppercase()),
        meaning: text("description").unwrap_or_default(),
        value_name: text("x-value"),
        rule: text("x-rule").unwrap_or_else(|| in_words(&kind)),
        default: property.get("default").cloned(),
        kind,
        change,
        key,
    }
}

fn kind(property: &Value) -> Kind {
    let texts = |values: &Value, of: fn(&Value) -> &Value| -> Vec<String> {
        let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
        values.iter().filter_map(|value| of(value).as_str()).map(str::to_owned).collect()
    };
    match property["type"].as_str() {
        _ if property["oneOf"].is_array() => Kind::Choice(texts(&property["oneOf"], |value| &value["const"])),
        _ if property["enum"].is_array() => Kind::Choice(texts(&property["enum"], |value| value)),
        Some("integer") => Kind::Whole(
            property["minimum"].as_u64().unwrap_or(0),
            property["maximum"].as_u64().unwrap_or(u64::MAX),
        ),
        Some("boolean") => Kind::Switch,
        Some("array") => Kind::List,
        _ => Kind::Text,
    }
}

fn in_words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "a text".to_owned(),
        Kind::List => "a list of texts".to_owned(),
        Kind::Whole(from, to) => format!("from {from} to {to}"),
        Kind::Switch => "true or false".to_owned(),
        Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
    }
}

/// The names of a type's fields, in the order in which they are declared.
fn names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // Gives nothing to read, so that this never succeeds; the names are what it is for.
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Asks a type for its fields instead of giving it any.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> serde::Deserializer<'de> for Names<'_> {
    type Error = NoValue;

    fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
        Err(NoValue)
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, NoValue> {
        *self.0 = fields;
        Err(NoValue)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[derive(Debug)]
struct NoValue;

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no value")
    }
}

impl std::error::Error for NoValue {}

impl de::Error for NoValue {
    fn custom<T: fmt::Display>(_: T) -> NoValue {
        NoValue
    }
}
