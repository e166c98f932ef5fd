//! The dynamic settings: what the whole cluster agrees on and operators change while it runs.
//!
//! One row a setting. What a setting does is for whoever obeys it.

use crate::{
    access::REQUIRE_AUTH,
    agent::{MAX_STALENESS, MIN_IN_SYNC},
    regions::{HOME_REGION, MOST_REGION_COPIES, NO_HOME, REGION_COPIES},
};
use predis_meta::limits;
use tonic::Status;

/// One setting.
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// Its value when none was set.
    pub(super) default: &'static str,
    /// What a value must look like.
    pub(super) rule: &'static str,
    pub(super) summary: &'static str,
    accepts: fn(&str) -> bool,
}

/// All of them, by name.
pub(super) const SETTINGS: [Setting; 5] = [
    Setting {
        name: HOME_REGION,
        default: NO_HOME,
        rule: "none or the name of a region",
        summary: "The region of primaries and of the copies that are waited for; none is anywhere.",
        accepts: |value| limits::name(HOME_REGION, value).is_ok(),
    },
    Setting {
        name: MAX_STALENESS,
        default: "none",
        rule: "none or 1 to 86400000",
        summary: "By how many milliseconds READONLY reads from a copy may be behind.",
        accepts: |value| value == "none" || matches!(value.parse(), Ok(1..=86_400_000)),
    },
    Setting {
        name: MIN_IN_SYNC,
        default: "auto",
        rule: "auto or 1 to 5",
        summary: "How many copies must be in sync for a write under quorum to be accepted; auto is more than half of the copies.",
        accepts: |value| value == "auto" || matches!(value.parse(), Ok(1..=5)),
    },
    Setting {
        name: REGION_COPIES,
        default: "0",
        rule: "0 to 2",
        summary: "How many copies of everything each region but the home holds, that nobody waits for.",
        accepts: |value| matches!(value.parse(), Ok(0..=MOST_REGION_COPIES)),
    },
    Setting {
        name: REQUIRE_AUTH,
        default: "no",
        rule: "yes or no",
        summary: "Whether clients and operators must authenticate; no makes everybody an admin.",
        accepts: |value| matches!(value, "yes" | "no"),
    },
];

impl Setting {
    /// The setting of this name.
    pub(super) fn named(name: &str) -> Result<&'static Setting, Status> {
        SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            let name: String = name.chars().take(80).collect();
            Status::not_found(format!("name: must be one of {}, got {name:?}", known.join(" ")))
        })
    }

    /// Refuses what cannot be its value.
    pub(super) fn check(&self, value: &str) -> Result<(), Status> {
        if (self.accepts)(value) {
            return Ok(());
        }
        let value: String = value.chars().take(80).collect();
        Err(Status::invalid_argument(format!("{}: must be {}, got {value:?}", self.name, self.rule)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_accepted_and_names_are_sorted() {
        assert!(SETTINGS.is_sorted_by_key(|setting| setting.name));
        for setting in &SETTINGS {
            assert!((setting.accepts)(setting.default), "{}", setting.name);
            let refused = setting.check("\u{1f419}").unwrap_err();
            assert!(refused.message().contains(setting.rule) && refused.message().contains(setting.name));
        }
    }
}
