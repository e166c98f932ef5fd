//! The file of contexts: named ways to reach a cluster, and which of them is in use.
//!
//! `$XDG_CONFIG_HOME/predis/contexts.toml`, or `~/.config/predis/contexts.toml`; for its owner alone, replaced as a
//! whole. Holds where tokens are, never a token.

use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// One way to reach a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Context {
    /// A node's gRPC address.
    pub(super) addr: String,
    /// The file that the token is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_file: Option<PathBuf>,
    /// The certificates that vouch for nodes; with them, TLS is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_authority: Option<PathBuf>,
    /// The certificate to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_key: Option<PathBuf>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Contexts {
    /// The one in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<String>,
    /// By name.
    pub(super) contexts: BTreeMap<String, Context>,
}

/// Where the file is.
pub(super) struct ContextsFile(PathBuf);

impl ContextsFile {
    /// The file of whoever runs this.
    pub(super) fn of_user() -> Result<ContextsFile, Failure> {
        let found = ContextsFile::under(std::env::var_os("XDG_CONFIG_HOME"), std::env::var_os("HOME"));
        found
            .ok_or_else(|| Failure::usage(anyhow!("contexts need HOME or XDG_CONFIG_HOME, an absolute path")))
    }

    fn under(xdg: Option<OsString>, home: Option<OsString>) -> Option<ContextsFile> {
        // The XDG base directory specification: a path that is not absolute is to be ignored.
        let absolute = |path: Option<OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
        let config = absolute(xdg).or_else(|| Some(absolute(home)?.join(".config")))?;
        Some(ContextsFile(config.join("predis/contexts.toml")))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What it holds; nothing when there is none.
    pub(super) fn read(&self) -> Result<Contexts, Failure> {
        match fs::read_to_string(&self.0) {
            Ok(text) => {
                toml::from_str(&text).with_context(|| self.0.display().to_string()).map_err(Failure::usage)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Contexts::default()),
            Err(error) => Err(error)
                .with_context(|| format!("cannot read {}", self.0.display()))
                .map_err(Failure::failed),
        }
    }

    /// Replaces what it holds.
    pub(super) fn write(&self, contexts: &Contexts) -> Result<(), Failure> {
        let written = (|| -> anyhow::Result<()> {
            let text = toml::to_string_pretty(contexts)?;
            let directory = self.0.parent().context("no directory")?;
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            // Such a file is its owner's alone from its first moment on.
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            io::Write::write_all(&mut file, text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.0)?;
            Ok(())
        })();
        written.with_context(|| format!("cannot write {}", self.0.display())).map_err(Failure::failed)
    }
}

impl Contexts {
    /// The context of this name.
    pub(super) fn named(&self, name: &str) -> Result<&Context, Failure> {
        self.contexts.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
            Failure::usage(anyhow!("there is no context {name:?}: {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_is_where_the_desktop_specification_says() {
        let path = |xdg: Option<&str>, home: Option<&str>| {
            ContextsFile::under(xdg.map(Into::into), home.map(Into::into)).map(|file| file.0)
        };
        assert_eq!(path(Some("/x"), Some("/h")), Some("/x/predis/contexts.toml".into()));
        assert_eq!(path(None, Some("/h")), Some("/h/.config/predis/contexts.toml".into()));
        assert_eq!(path(Some("x"), Some("/h")), Some("/h/.config/predis/contexts.toml".into()));
        assert_eq!(path(Some(""), None), None);
    }

    #[test]
    fn what_is_written_is_read_back_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let file = ContextsFile(directory.path().join("a/b/contexts.toml"));
        assert_eq!(file.read().unwrap(), Contexts::default());
        let prod = Context { addr: "db:7379".into(), token_file: Some("/t".into()), ..Context::default() };
        let contexts =
            Contexts { current: Some("prod".into()), contexts: BTreeMap::from([("prod".into(), prod)]) };
        for _ in 0..2 {
            file.write(&contexts).unwrap();
            assert_eq!(file.read().unwrap(), contexts);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file.0), mode(file.0.parent().unwrap())), (0o600, 0o700));
        assert_eq!(file.0.parent().unwrap().read_dir().unwrap().count(), 1);
        fs::write(&file.0, "curent = \"prod\"\n").unwrap();
        assert!(file.read().unwrap_err().to_string().contains("curent"));
    }
}
