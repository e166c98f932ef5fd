//! The policies by name: parsing, building, and which queue gives way at a given use of the budget.
//!
//! Does not know how a policy keeps its order.

use std::fmt;
use std::str::FromStr;

use crate::fifo::Fifo;
use crate::lru::Lru;
use crate::policy::Policy;
use crate::pool::Usage;
use crate::s3fifo::{MAIN, S3fifo, SMALL, main_target};

/// Which policy a tenant uses. Written in lower case: `lru`, `fifo`, `s3fifo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// Least recently used.
    Lru,
    /// First in, first out.
    Fifo,
    /// S3-FIFO (Yang et al., SOSP 2023).
    S3fifo,
}

/// The name is of no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown policy '{0}': expected one of lru, fifo, s3fifo")]
pub struct UnknownPolicy(pub String);

impl PolicyKind {
    /// Every kind, in the order they are listed to people.
    pub const ALL: [PolicyKind; 3] = [PolicyKind::Lru, PolicyKind::Fifo, PolicyKind::S3fifo];

    /// The name used in configuration, on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            PolicyKind::Lru => "lru",
            PolicyKind::Fifo => "fifo",
            PolicyKind::S3fifo => "s3fifo",
        }
    }

    /// The empty state for one partition.
    pub fn build(self) -> Box<dyn Policy> {
        match self {
            PolicyKind::Lru => Box::new(Lru::default()),
            PolicyKind::Fifo => Box::new(Fifo::default()),
            PolicyKind::S3fifo => Box::new(S3fifo::default()),
        }
    }

    /// The class to evict from, given what all partitions use together.
    pub fn class(self, usage: &Usage) -> usize {
        match self {
            PolicyKind::Lru | PolicyKind::Fifo => 0,
            PolicyKind::S3fifo => {
                let main_is_over = usage.used[MAIN] > main_target(usage.budget);
                if main_is_over || usage.items[SMALL] == 0 { MAIN } else { SMALL }
            }
        }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for PolicyKind {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        let found = PolicyKind::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownPolicy(name.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_others_are_refused() {
        for kind in PolicyKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let refused = "LRU".parse::<PolicyKind>().unwrap_err();
        assert_eq!(refused.to_string(), "unknown policy 'LRU': expected one of lru, fifo, s3fifo");
    }

    #[test]
    fn s3fifo_evicts_from_main_when_it_is_over_its_share_or_small_is_empty() {
        let usage = |small, main| Usage { budget: 100, used: [small, main], items: [small, main] };
        assert_eq!(PolicyKind::S3fifo.class(&usage(10, 90)), SMALL);
        assert_eq!(PolicyKind::S3fifo.class(&usage(9, 91)), MAIN);
        assert_eq!(PolicyKind::S3fifo.class(&usage(50, 50)), SMALL);
        assert_eq!(PolicyKind::S3fifo.class(&usage(0, 80)), MAIN);
        assert_eq!(PolicyKind::Lru.class(&usage(9, 91)), 0);
    }
}
