//! What deny.toml permits, as far as it is about licences and registries.
//!
//! Owns the reading of those two sections; the rest of the file is cargo-deny's alone.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

/// Permitted licences and registries.
#[derive(Debug)]
pub(crate) struct Permission {
    allowed: Vec<String>,
    exceptions: BTreeMap<String, Vec<String>>,
    registries: Vec<String>,
}

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

/// Licences that one crate may carry besides those that all may.
#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    package: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Sources {
    #[serde(rename = "allow-registry")]
    allow_registry: Vec<String>,
}

impl Permission {
    /// Reads deny.toml's text.
    ///
    /// # Errors
    /// Broken TOML, or a section or list that is missing.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Permission> {
        let deny: Deny = toml::from_str(text).context("reading [licenses] and [sources]")?;
        let mut exceptions = BTreeMap::new();
        for exception in deny.licenses.exceptions {
            // cargo-deny lets a version follow the name; here an exception holds for every version.
            let name = exception.package.split(['@', ':']).next().unwrap_or_default().to_string();
            exceptions.entry(name).or_insert_with(Vec::new).extend(exception.allow);
        }
        Ok(Permission { allowed: deny.licenses.allow, exceptions, registries: deny.sources.allow_registry })
    }

    /// Whether a package may carry a licence, `WITH` exception included.
    pub(crate) fn allows(&self, package: &str, licence: &str) -> bool {
        let excepted = self.exceptions.get(package).into_iter().flatten();
        self.allowed.iter().chain(excepted).any(|allowed| allowed == licence)
    }

    /// Whether a package may come from a source as the lock file names it.
    pub(crate) fn allows_source(&self, source: &str) -> bool {
        source
            .strip_prefix("registry+")
            .is_some_and(|url| self.registries.iter().any(|allowed| allowed == url))
    }

    /// The packages with an exception, by name.
    pub(crate) fn excepted(&self) -> impl Iterator<Item = &str> {
        self.exceptions.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [bans]
        multiple-versions = "warn"
        [licenses]
        allow = ["MIT"] # and no other
        exceptions = [{ crate = "thing@1.2", allow = ["MPL-2.0"] }]
        [sources]
        allow-registry = ["https://registry.example/index"]
    "#;

    #[test]
    fn what_is_listed_is_allowed_and_nothing_else() {
        let permission = Permission::parse(TEXT).unwrap();
        assert!(permission.allows("any", "MIT"));
        assert!(!permission.allows("any", "MPL-2.0"));
        assert!(permission.allows("thing", "MPL-2.0"));
        assert_eq!(permission.excepted().collect::<Vec<_>>(), ["thing"]);
    }

    #[test]
    fn sources_are_compared_whole() {
        let permission = Permission::parse(TEXT).unwrap();
        assert!(permission.allows_source("registry+https://registry.example/index"));
        assert!(!permission.allows_source("registry+https://registry.example/index2"));
        assert!(!permission.allows_source("git+https://registry.example/index"));
    }

    #[test]
    fn missing_lists_are_refused() {
        assert!(Permission::parse("[licenses]\nallow = []\n").is_err());
        assert!(Permission::parse("[sources]\nallow-registry = []\n").is_err());
        assert!(Permission::parse("not toml").is_err());
    }
}
