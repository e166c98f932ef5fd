//! Planted bugs: which scenario shows each, which invariant must notice, and a seed under which it does.

use crate::scenario::{self, Scenario};
use predis_types::planted::Bug;

/// How a planted bug is caught.
pub struct Case {
    /// The bug.
    pub bug: Bug,
    /// The scenario's name.
    pub scenario: &'static str,
    /// The invariant that must complain.
    pub invariant: &'static str,
    /// A seed under which it does.
    pub seed: u64,
}

/// One case for every bug.
pub const CASES: &[Case] = &[
    case(Bug::VoteNotPersisted, "power-loss", "votes-never-regress", 1),
    case(Bug::AckBeforeSync, "power-loss", "metadata-linearizable", 1),
    case(Bug::ReadWithoutQuorum, "partition-and-heal", "metadata-linearizable", 1),
    case(Bug::DivergentApply, "leader-crash", "converged", 1),
    case(Bug::LeaseIgnored, "partition-and-heal", "one-lease-holder", 1),
    case(Bug::LeaseFromReceipt, "slow-then-cut", "one-lease-holder", 1),
    case(Bug::IncarnationReused, "back-within-lease", "no-lost-data", 1),
];

const fn case(bug: Bug, scenario: &'static str, invariant: &'static str, seed: u64) -> Case {
    Case { bug, scenario, invariant, seed }
}

impl Case {
    /// The scenario.
    pub fn scenario(&self) -> Scenario {
        scenario::named(self.scenario).expect("cases name scenarios that are")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_has_a_case() {
        for bug in Bug::ALL {
            assert_eq!(CASES.iter().filter(|case| case.bug == bug).count(), 1, "{bug:?}");
        }
        CASES.iter().for_each(|case| assert_eq!(case.scenario().name, case.scenario));
    }
}
