//! The pages that are made from the fields are current, and the example says something about each.
//!
//! `PREDIS_BLESS=1` rewrites them.

use super::{
    super::{fields::fields, problem::Origin, reference, schema_text},
    resolve,
};
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- settings: from here on written by `PREDIS_BLESS=1 cargo test -p predis` -->\n";
const END: &str = "<!-- settings: to here -->\n";

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

/// Holds a page against what it should be, or writes it.
fn hold(name: &str, wanted: &str) {
    let path = page(name);
    if std::env::var_os("PREDIS_BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/{name} is not current: run PREDIS_BLESS=1 cargo test -p predis");
}

#[test]
fn the_published_schema_is_current() {
    hold("predis.schema.json", &format!("{}\n", schema_text()));
}

#[test]
fn the_reference_is_current() {
    let text = std::fs::read_to_string(page("configuration.md")).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the first marker");
    let (_, after) = rest.split_once(END).expect("the second marker");
    let table = reference::render(fields());
    hold("configuration.md", &format!("{before}{BEGIN}\n{table}\n\n{END}{after}"));
}

#[test]
fn the_reference_has_a_whole_row_for_every_field() {
    let table = reference::render(fields());
    assert_eq!(table.lines().count(), 2 + fields().len());
    for (row, field) in table.lines().skip(2).zip(fields()) {
        assert_eq!(row.matches(" | ").count(), 5, "{row}");
        assert!(row.starts_with(&format!("| `{}` | `--{}` |", field.key, field.flag)), "{row}");
        assert!(field.meaning.len() > 10 && field.meaning.ends_with('.'), "{}: {}", field.key, field.meaning);
    }
}

#[test]
fn the_example_has_every_field_and_is_taken() {
    let example = include_str!("../../../../docs/predis.example.toml");
    let resolved = resolve(example).unwrap_or_else(|problems| panic!("{problems}"));
    for setting in &resolved.settings {
        assert!(matches!(setting.origin, Origin::File(..)), "{} is missing", setting.field.key);
    }
}
