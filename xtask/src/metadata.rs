//! What `cargo metadata` says about packages and their dependencies.
//!
//! Owns the call and the few fields read from it. Knows no rule.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde::Deserialize;

/// The part of `cargo metadata`'s answer that the checks read.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// The workspace's own packages, and with dependencies asked for, those too.
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Package {
    /// Name as in the manifest.
    pub(crate) name: String,
    /// Version as in the manifest.
    #[serde(default)]
    pub(crate) version: String,
    /// SPDX expression, when the manifest has one.
    #[serde(default)]
    pub(crate) license: Option<String>,
    /// Where it comes from; `None` for a path within the workspace.
    #[serde(default)]
    pub(crate) source: Option<String>,
    /// Absolute path of its Cargo.toml.
    #[serde(default)]
    pub(crate) manifest_path: String,
    /// Declared dependencies of every kind: normal, dev and build.
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Dependency {
    /// The package's real name, whatever it is renamed to.
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    #[serde(default)]
    pub(crate) kind: Option<String>,
}

/// The workspace's own packages only; needs no network and no lock file.
pub(crate) fn workspace(root: &Path) -> anyhow::Result<Metadata> {
    call(root, &["--no-deps", "--offline"])
}

/// Every package of the lock file, for every platform. Fetches those not yet on the machine unless `offline`.
pub(crate) fn everything(root: &Path, offline: bool) -> anyhow::Result<Metadata> {
    call(root, if offline { &["--locked", "--offline"] } else { &["--locked"] })
}

fn call(root: &Path, flags: &[&str]) -> anyhow::Result<Metadata> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--format-version", "1"])
        .args(flags)
        .output()
        .context("running cargo metadata")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata {} failed:\n{}",
        flags.join(" "),
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    serde_json::from_slice(&output.stdout).context("reading cargo metadata's answer")
}
