//! The configuration as a whole: sources and their order, rules, schema, and the pages that are made from it.

mod pages;
mod rules;
mod schema;
mod sources;

use super::{
    document::Document,
    problem::Problems,
    resolved::{Resolved, Sources},
};

/// What a file with this text comes to, by itself.
fn resolve(text: &str) -> Result<Resolved, Problems> {
    Sources::default().resolve_with(&Document::parse("predis.toml", text)?)
}

/// Why a file with this text is refused.
fn refused(text: &str) -> String {
    resolve(text).err().unwrap_or_else(|| panic!("this was taken: {text}")).to_string()
}
