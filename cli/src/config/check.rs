//! `predis config check`: whether a server would take these settings, and where each of them is from.

use super::{
    problem::{Problem, Problems},
    resolved::{Resolved, Setting, Sources},
};
use crate::{ctl::table, failure::Failure, output, server};
use predis_node::system::SystemClock;
use serde_json::{Value, json};
use std::sync::Arc;

/// Checks and prints; what is wrong is a usage error.
pub(super) fn run(sources: &Sources, as_json: bool) -> Result<(), Failure> {
    let resolved = sources.resolve().and_then(with_certificates);
    if as_json {
        output::print(json(sources, &resolved))?;
    } else if let Ok(resolved) = &resolved {
        output::print(text(sources, resolved))?;
    }
    resolved.map(|_| ()).map_err(Failure::usage)
}

/// The certificates that are named are read too, as a node does before anything else.
fn with_certificates(resolved: Resolved) -> Result<Resolved, Problems> {
    match server::tls(&resolved.file).map(|tls| tls.check(Arc::new(SystemClock))) {
        None | Some(Ok(())) => Ok(resolved),
        Some(Err(error)) => Err(Problem::of_tls(error).into()),
    }
}

/// For people.
fn text(sources: &Sources, resolved: &Resolved) -> String {
    let row = |setting: &Setting| {
        let value = match setting.shown() {
            empty if empty.is_empty() => "\"\"".to_owned(),
            value => value,
        };
        vec![setting.field.key.clone(), value, setting.origin.to_string()]
    };
    let rows: Vec<Vec<String>> = resolved.settings.iter().map(row).collect();
    let mut text = table::render(&["SETTING", "VALUE", "FROM"], &rows);
    let others = sources.variables.others();
    if !others.is_empty() {
        text.push_str(&format!("\n\nNo setting of a server: {}", others.join(", ")));
    }
    text.push_str("\n\nThe configuration is valid.");
    text
}

/// For programs.
fn json(sources: &Sources, resolved: &Result<Resolved, Problems>) -> Value {
    let setting = |setting: &Setting| {
        json!({
            "setting": setting.field.key,
            "value": setting.value,
            "from": setting.origin.kind(),
            "line": setting.origin.line(),
        })
    };
    let (settings, problems): (Vec<Value>, Vec<Value>) = match resolved {
        Ok(resolved) => (resolved.settings.iter().map(setting).collect(), Vec::new()),
        Err(Problems(problems)) => (Vec::new(), problems.iter().map(|problem| problem.json()).collect()),
    };
    json!({
        "valid": resolved.is_ok(),
        "file": sources.path(),
        "settings": settings,
        "problems": problems,
        "other_variables": sources.variables.others(),
    })
}
