//! `cargo xtask licences`: every dependency carries a licence, and comes from a registry, that deny.toml allows.
//!
//! Owns the comparison. deny.toml stays the one place where permission is given; cargo-deny reads the same file.

mod expression;
mod permission;

use anyhow::Context;

use crate::metadata::{self, Package};
use crate::report::{self, Violation};
use crate::tree;
use expression::Expression;
use permission::Permission;

/// Where permission is given, relative to the root.
const DENY: &str = "deny.toml";

const LICENCES: &str = "licences";
const SOURCES: &str = "sources";

/// Checks every package of the lock file; answers whether nothing is wrong.
pub(crate) fn run(flags: &[String]) -> anyhow::Result<bool> {
    let given = |flag: &str| flags.iter().any(|given| given == flag);
    let root = tree::root()?;
    let text = std::fs::read_to_string(root.join(DENY)).context(DENY)?;
    let permission = Permission::parse(&text).context(DENY)?;
    let packages = metadata::everything(&root, given("--offline"))?.packages;
    report::tell("licences", check(&packages, &permission), given("--json"))
}

/// Holds packages against what is permitted.
fn check(packages: &[Package], permission: &Permission) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages {
        let mut found = |rule, message: String| {
            let message = format!("{} {}: {message}", package.name, package.version);
            violations.push(Violation::new("Cargo.lock", 0, rule, message));
        };
        if let Some(message) = refuse_licence(package, permission) {
            found(LICENCES, message);
        }
        if let Some(source) = package.source.as_deref().filter(|source| !permission.allows_source(source)) {
            found(SOURCES, format!("comes from {source}: [sources] of deny.toml does not allow it"));
        }
    }
    for name in permission.excepted().filter(|name| packages.iter().all(|package| package.name != *name)) {
        let message = format!("exception for {name}, which is no dependency: remove it");
        violations.push(Violation::new(DENY, 0, LICENCES, message));
    }
    violations
}

/// Why a package's licence is refused, or `None` when it is permitted.
fn refuse_licence(package: &Package, permission: &Permission) -> Option<String> {
    let Some(text) = &package.license else {
        return Some("declares no licence: read its files and drop it, or except it in deny.toml".into());
    };
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("its licence `{text}` is no SPDX expression: {error}")),
    };
    let permitted = expression.is_met(&|licence| permission.allows(&package.name, licence));
    (!permitted).then(|| format!("its licence `{text}` is not allowed: drop it, or allow it in deny.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn permission(exceptions: &str) -> Permission {
        let text = format!(
            "[licenses]\nallow = [\"MIT\", \"Apache-2.0\"]\nexceptions = [{exceptions}]\n\
             [sources]\nallow-registry = [\"https://github.com/rust-lang/crates.io-index\"]\n"
        );
        Permission::parse(&text).unwrap()
    }

    fn package(license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: "thing".into(),
            version: "1.0.0".into(),
            license: license.map(str::to_string),
            source: source.map(str::to_string),
            ..Package::default()
        }
    }

    fn rules(package: Package, exceptions: &str) -> Vec<&'static str> {
        check(&[package], &permission(exceptions)).into_iter().map(|found| found.rule).collect()
    }

    #[test]
    fn permitted_licences_and_sources_pass() {
        assert!(rules(package(Some("MIT OR GPL-3.0-only"), Some(REGISTRY)), "").is_empty());
        assert!(rules(package(Some("Apache-2.0"), None), "").is_empty());
    }

    #[test]
    fn refused_missing_and_broken_licences_are_found() {
        assert_eq!(rules(package(Some("GPL-3.0-only"), None), ""), [LICENCES]);
        assert_eq!(rules(package(Some("MIT AND GPL-3.0-only"), None), ""), [LICENCES]);
        assert_eq!(rules(package(None, None), ""), [LICENCES]);
        assert_eq!(rules(package(Some("MIT OR"), None), ""), [LICENCES]);
    }

    #[test]
    fn a_foreign_source_is_found() {
        assert_eq!(rules(package(Some("MIT"), Some("git+https://example.org/x#1")), ""), [SOURCES]);
    }

    #[test]
    fn exceptions_hold_for_their_crate_and_must_be_needed() {
        let license = package(Some("MPL-2.0"), None);
        assert!(rules(license.clone(), r#"{ crate = "thing", allow = ["MPL-2.0"] }"#).is_empty());
        assert_eq!(rules(license, r#"{ crate = "other", allow = ["MPL-2.0"] }"#), [LICENCES, LICENCES]);
    }
}
