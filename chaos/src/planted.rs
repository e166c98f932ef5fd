//! Planted bugs: which scenario shows each, which invariant must notice, and a seed under which it does.

use crate::scenario::{self, Scenario};
use predis_types::planted::Bug;

/// How a planted bug is caught.
pub struct Case {
    /// The bug.
    pub bug: Bug,
    /// The scenario's name.
    pub scenario: &'static str,
    /// The invariants that judge: one of them must complain.
    pub invariants: &'static [&'static str],
    /// A seed under which it does.
    pub seed: u64,
}

/// At least one case for every bug and for every invariant.
pub const CASES: &[Case] = &[
    case(Bug::VoteNotPersisted, "power-loss", &["votes-never-regress"], 1),
    // Entries that were acknowledged and lost show as another entry at the same index, or as a read that misses them.
    case(Bug::AckBeforeSync, "power-loss", &["converged", "metadata-linearizable"], 2),
    case(Bug::SyncErrorIgnored, "disk-faults", &["fail-stop"], 2),
    case(Bug::ReadWithoutQuorum, "partition-and-heal", &["metadata-linearizable"], 2),
    case(Bug::DivergentApply, "leader-crash", &["converged"], 1),
    case(Bug::LeaseIgnored, "partition-and-heal", &["one-lease-holder"], 2),
    case(Bug::LeaseFromReceipt, "slow-then-cut", &["one-lease-holder"], 2),
    case(Bug::LeaseFromReceipt, "slow-then-cut", &["no-lease-after-verdict"], 2),
    case(Bug::IncarnationReused, "back-within-lease", &["no-lost-data"], 1),
    case(Bug::IncarnationReused, "back-within-lease", &["linearizable"], 1),
    case(Bug::IncarnationReused, "back-within-lease", &["durable"], 1),
    case(Bug::ExpiryLate, "leader-crash", &["expiry"], 1),
    case(Bug::LeaseIgnored, "pause-primary", &["one-acknowledger"], 1),
    case(Bug::LeaseOnWallClock, "clocks-far-off", &["one-lease-holder"], 1),
    case(Bug::AckBeforeInSync, "slow-then-cut", &["linearizable", "durable"], 1),
    case(Bug::ShrinkWithoutCommit, "one-way-partition", &["linearizable", "durable"], 13),
    case(Bug::SnapshotWithoutTail, "drain-under-faults", &["no-lost-data"], 1),
    case(Bug::MoveDropsLateWrites, "weights-change", &["no-lost-data"], 2),
    case(Bug::ExpiryRebased, "leader-crash", &["expiry"], 7),
];

const fn case(bug: Bug, scenario: &'static str, invariants: &'static [&'static str], seed: u64) -> Case {
    Case { bug, scenario, invariants, seed }
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
    use crate::invariant;

    /// What would show with messages in an order that the calls of one node to another never have: replication's
    /// state machines are explored with it (`node/replica/tests/stream`).
    const EXPLORED: [Bug; 1] = [Bug::LogGapIgnored];

    #[test]
    fn every_bug_and_every_invariant_has_a_case() {
        for bug in Bug::ALL.into_iter().filter(|bug| !EXPLORED.contains(bug)) {
            assert!(CASES.iter().any(|case| case.bug == bug), "{bug:?}");
        }
        for invariant in invariant::all() {
            assert!(CASES.iter().any(|case| case.invariants == [invariant.name()]), "{}", invariant.name());
        }
        CASES.iter().for_each(|case| assert_eq!(case.scenario().name, case.scenario));
    }
}
