//! The configuration file: TOML, every field optional, an unknown one refused by name.

use crate::failure::Failure;
use anyhow::Context;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// What the file may say; the fields are those of the flags.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Option<String>,
    pub(super) listen: Option<String>,
    pub(super) grpc: Option<String>,
    pub(super) metrics: Option<String>,
    pub(super) advertise: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) join: Option<Vec<String>>,
    pub(super) memory: Option<String>,
    pub(super) region: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) weight: Option<u32>,
    pub(super) copies: Option<u8>,
    pub(super) partitions: Option<u16>,
    pub(super) policy: Option<String>,
    pub(super) max_clients: Option<usize>,
    pub(super) insecure: Option<bool>,
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<File, Failure> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("configuration {}", path.display()))
        .map_err(Failure::usage)?;
    parse(&text).with_context(|| format!("configuration {}", path.display())).map_err(Failure::usage)
}

fn parse(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_named() {
        let refused = parse("lisen = \"127.0.0.1:1\"").unwrap_err().to_string();
        assert!(refused.contains("unknown field `lisen`") && refused.contains("listen"), "{refused}");
    }

    #[test]
    fn a_wrong_type_is_named_with_its_line() {
        let refused = parse("name = \"a\"\nweight = \"heavy\"").unwrap_err().to_string();
        assert!(refused.contains("line 2") && refused.contains("heavy"), "{refused}");
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert_eq!(parse("").unwrap(), File::default());
    }
}
