//! SIGHUP: the file and the environment are read again, and what may change at once does.
//!
//! Certificates are read anew too. All or nothing: when anything is wrong, or differs that cannot change while a node runs, nothing is changed. Only
//! what differs from the last reading is changed, so that what clients set meanwhile stays.

use super::{affordable_clients, settings};
use crate::{
    config::{Change, Origin, Problem, Problems, Resolved, Setting, Sources, Variables},
    logging::{self, Refilter},
};
use predis_node::{Node, Tunables, tls::TlsError};
use std::fmt::Display;

/// The setting that has effect last.
const LOG: &str = "log";

/// How a running server was configured last.
pub(super) struct Reload {
    sources: Sources,
    resolved: Resolved,
    refilter: Refilter,
}

impl Reload {
    /// As the server was started.
    pub(super) fn new(sources: Sources, resolved: Resolved, refilter: Refilter) -> Reload {
        Reload { sources, resolved, refilter }
    }

    /// Reads anew and applies; says in the log what came of it.
    pub(super) fn run(&mut self, node: &Node) {
        self.sources.variables = Variables::of_process();
        match self.try_run(node.tunables(), || node.reload_certificates()) {
            Ok(changed) => {
                tracing::info!(count = changed.len(), "the configuration was read again");
                self.refilter(&changed);
            }
            Err(Problems(problems)) => {
                for problem in problems {
                    tracing::error!(%problem, "the configuration was read again and nothing is changed");
                }
            }
        }
    }

    /// The names of the settings that have changed.
    fn try_run(
        &mut self,
        tunables: &Tunables,
        reload_certificates: impl FnOnce() -> Result<(), TlsError>,
    ) -> Result<Vec<&'static str>, Problems> {
        let resolved = self.sources.resolve()?;
        let changes = changes(&self.resolved, &resolved)?;
        // The last that can be refused: what follows cannot fail.
        reload_certificates().map_err(Problem::of_tls)?;
        for change in &changes {
            apply(change, &resolved, tunables);
        }
        let names = changes.iter().map(|change| change.new.field.key.as_str()).collect();
        self.resolved = resolved;
        Ok(names)
    }

    /// Another filter takes effect when everything is said under the one before.
    fn refilter(&self, changed: &[&str]) {
        // It was read before, as a rule.
        if changed.contains(&LOG)
            && let Ok(filter) = logging::filter(&self.resolved.file.log)
        {
            self.refilter.set(filter);
        }
    }
}

/// A setting before and after.
struct Changed<'a> {
    old: &'a Setting,
    new: &'a Setting,
}

/// What differs between two readings.
///
/// # Errors
/// Everything among it that cannot change while a node runs.
fn changes<'a>(old: &'a Resolved, new: &'a Resolved) -> Result<Vec<Changed<'a>>, Problems> {
    let pairs = old.settings.iter().zip(&new.settings).map(|(old, new)| Changed { old, new });
    // A default that follows another setting changes with it, and nobody asked for that.
    let is_asked = |pair: &Changed<'_>| [pair.old, pair.new].iter().any(|s| s.origin != Origin::Default);
    let differs = |pair: &Changed<'_>| pair.old.value != pair.new.value && is_asked(pair);
    let changed: Vec<Changed<'_>> = pairs.filter(differs).collect();
    let refused = changed.iter().filter_map(|Changed { new, .. }| match new.field.change {
        Change::Reload => None,
        Change::Restart => Some(new.problem("cannot change while the node runs; restart it")),
        Change::Founding => Some(new.problem("is fixed when the cluster is founded")),
    });
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() { Ok(changed) } else { Err(Problems(refused)) }
}

/// Puts one change in force, but for that of the filter; whether it is one that can be.
fn apply(changed: &Changed<'_>, resolved: &Resolved, tunables: &Tunables) -> bool {
    let (file, key) = (&resolved.file, changed.new.field.key.as_str());
    match key {
        "memory" => {
            tell(key, changed.old.shown(), changed.new.shown());
            tunables.set_memory_bytes(settings::memory_bytes(file));
        }
        "max_clients" => {
            let count = affordable_clients(file.max_clients as usize);
            tell(key, tunables.max_clients(), count);
            tunables.set_max_clients(count);
        }
        "timeout" => {
            tell(key, tunables.timeout_s(), file.timeout);
            tunables.set_timeout_s(u64::from(file.timeout));
        }
        LOG => tell(key, changed.old.shown(), changed.new.shown()),
        _ => return false,
    }
    true
}

/// Says what changes, before it does: under the filter that was in force so far.
fn tell(setting: &str, old: impl Display, new: impl Display) {
    tracing::info!(setting, %old, %new, "a setting changes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Document, fields};
    use std::sync::{Arc, Mutex};

    fn resolved(text: &str) -> Resolved {
        Sources::default().resolve_with(&Document::parse("test.toml", text).unwrap()).unwrap()
    }

    fn names(old: &str, new: &str) -> Result<Vec<String>, String> {
        let (old, new) = (resolved(old), resolved(new));
        let changed = changes(&old, &new).map_err(|problems| problems.to_string())?;
        Ok(changed.iter().map(|changed| changed.new.field.key.clone()).collect())
    }

    #[test]
    fn what_may_change_is_found_and_the_rest_is_refused_by_name() {
        assert_eq!(names("weight = 5", "weight = 5\ntimeout = 0"), Ok(vec![]));
        let all = "memory = '1gb'\nmax_clients = 5\ntimeout = 6\nlog = 'debug'";
        assert_eq!(names("", all).unwrap(), ["memory", "max_clients", "timeout", "log"]);
        let refused = names("", "timeout = 6\nweight = 7\ncopies = 3\n[tls]\n").unwrap_err();
        assert_eq!(
            refused,
            "weight: cannot change while the node runs; restart it, got 7 (test.toml, line 2)\n\
             copies: is fixed when the cluster is founded, got 3 (test.toml, line 3)"
        );
        let moved = names("", "listen = '127.0.0.1:1'").unwrap_err();
        assert_eq!(
            moved,
            "listen: cannot change while the node runs; restart it, got \"127.0.0.1:1\" (test.toml, line 1)"
        );
        assert!(names("weight = 5", "").unwrap_err().starts_with("weight: cannot change"), "the default now");
    }

    #[test]
    fn every_setting_that_says_so_can_change_and_no_other() {
        let tunables = Tunables::new(&settings::node(&resolved("").file, false));
        let new = resolved("memory = '1gb'\nmax_clients = 5\ntimeout = 6\nlog = 'debug'");
        let old = resolved("");
        for field in fields() {
            let changed = Changed { old: old.setting(&field.key), new: new.setting(&field.key) };
            assert_eq!(apply(&changed, &new, &tunables), field.change == Change::Reload, "{}", field.key);
        }
        assert_eq!(tunables.memory_bytes(), Some(1 << 30));
        assert_eq!((tunables.max_clients(), tunables.timeout_s()), (5, 6));
    }

    #[test]
    fn certificates_that_are_refused_keep_everything_as_it_was() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sources = Sources { config: Some(file.path().to_owned()), ..Sources::default() };
        let resolved = sources.resolve().unwrap();
        let tunables = Tunables::new(&settings::node(&resolved.file, false));
        let filters = Arc::new(Mutex::new(Vec::new()));
        let refilter = Refilter::through({
            let filters = filters.clone();
            move |filter| filters.lock().unwrap().push(filter.to_string())
        });
        let mut reload = Reload::new(sources, resolved, refilter);
        std::fs::write(file.path(), "timeout = 6\nlog = 'debug'").unwrap();
        let unusable = || {
            Err(TlsError::Unusable {
                field: "tls.key",
                path: "node.key".into(),
                problem: "does not belong to the certificate".to_owned(),
            })
        };
        let refused = reload.try_run(&tunables, unusable).unwrap_err().to_string();
        assert_eq!(refused, "tls.key node.key: does not belong to the certificate");
        assert_eq!(tunables.timeout_s(), 0);
        let changed = reload.try_run(&tunables, || Ok(())).unwrap();
        assert_eq!((changed.as_slice(), tunables.timeout_s()), (&["timeout", "log"][..], 6));
        reload.refilter(&changed);
        assert_eq!(*filters.lock().unwrap(), ["debug"]);
        assert_eq!(reload.try_run(&tunables, || Ok(())), Ok(vec![]), "it is as it was read last");
    }
}
