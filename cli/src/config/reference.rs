//! The reference of all settings, as a table for the documentation.

use super::fields::{Change, Field, Kind};
use serde_json::Value;

/// The table.
pub(super) fn render(fields: &[Field]) -> String {
    let mut lines = vec![
        "| file | flag | variable | default | what it is | changes |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(fields.iter().map(row));
    lines.join("\n")
}

fn row(field: &Field) -> String {
    let default = match &field.default {
        None => "none".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "empty".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
    };
    let rule = match &field.kind {
        // A yes or a no needs no rule.
        Kind::Switch => String::new(),
        _ => format!(" Must be {}.", field.rule),
    };
    let change = match field.change {
        Change::Reload => "by SIGHUP",
        Change::Restart => "by a restart",
        Change::Founding => "never",
    };
    format!(
        "| `{}` | `--{}` | `{}` | {default} | {}{rule} | {change} |",
        field.key, field.flag, field.variable, field.meaning
    )
}
