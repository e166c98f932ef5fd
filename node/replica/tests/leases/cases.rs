//! What is explored, and what the exploration must find.

use super::{
    Bounds, Cluster, Mutation,
    explore::{Explored, Step, World, explore},
};
use predis_types::planted::{Bug, plant};

const MOST_STATES: usize = 3_000_000;

/// The holder's clock as slow, and the leaders' as fast, as the bound allows.
const WORST_CLOCKS: (u64, [u64; 2]) = (2, [3, 3]);

/// Every assignment of slow and fast clocks within the bound.
fn clocks() -> impl Iterator<Item = (u64, [u64; 2])> {
    let pairs = [[2, 2], [2, 3], [3, 2], [3, 3]];
    [2, 3].into_iter().flat_map(move |a| pairs.map(|leaders| (a, leaders)))
}

fn bounds((rate_a, rate_leaders): (u64, [u64; 2]), mutation: Mutation) -> Bounds {
    // A slow holder's lease of 4 lasts two ticks of real time, exactly as long as a fast leader waits for it.
    let lease_us = if mutation == Mutation::DriftBeyondBound { 6 } else { 4 };
    Bounds { rate_a, rate_leaders, lease_us, ticks: 4, renewals: 1, duplicates: 0, crashes: 0, mutation }
}

/// The shortest counterexample over all clocks, which there must be.
fn must_be_found(mutation: Mutation) -> Vec<String> {
    let run = |clocks| explore(Cluster::new(bounds(clocks, mutation)), MOST_STATES);
    let found = clocks().find_map(|clocks| run(clocks).counterexample);
    found.unwrap_or_else(|| panic!("{mutation:?}: no counterexample"))
}

#[test]
fn two_nodes_never_serve_at_once() {
    for clocks in clocks() {
        let Explored { states, counterexample } =
            explore(Cluster::new(bounds(clocks, Mutation::None)), MOST_STATES);
        println!("{clocks:?}: {states} states");
        assert_eq!(counterexample, None, "{clocks:?}");
        assert!(states > 1000, "the world has become too small to prove anything");
    }
}

#[test]
fn nor_with_a_second_renewal() {
    let bounds = Bounds { renewals: 2, ..bounds(WORST_CLOCKS, Mutation::None) };
    let explored = explore(Cluster::new(bounds), MOST_STATES);
    println!("{} states", explored.states);
    assert_eq!(explored.counterexample, None);
}

#[test]
fn nor_with_a_duplicate_or_a_crash() {
    let worst = bounds(WORST_CLOCKS, Mutation::None);
    for bounds in [Bounds { duplicates: 2, ..worst }, Bounds { crashes: 1, ..worst }] {
        let explored = explore(Cluster::new(bounds), MOST_STATES);
        println!("{} states", explored.states);
        assert_eq!(explored.counterexample, None, "{bounds:?}");
    }
}

#[test]
fn the_exploration_reaches_both_nodes_serving_in_turn() {
    #[derive(Clone, Hash)]
    struct Reaches(Cluster);
    impl World for Reaches {
        fn steps(&self) -> Vec<(Step, Self)> {
            self.0.steps().into_iter().map(|(name, next)| (name, Reaches(next))).collect()
        }
        fn wrong(&self) -> Option<String> {
            self.0.b.serves(&self.0.log, true).then(|| "B serves".into())
        }
    }
    let start = Cluster::new(bounds((3, [3, 3]), Mutation::None));
    let trace = explore(Reaches(start), MOST_STATES).counterexample.unwrap();
    assert!(trace.contains(&"A is down, commits leader 1".to_string()), "{trace:?}");
}

#[test]
fn planted_bugs_are_found() {
    for bug in [Bug::LeaseFromReceipt, Bug::LeaseIgnored] {
        plant(Some(bug));
        let trace = must_be_found(Mutation::None);
        plant(None);
        println!("{bug:?}: {trace:#?}");
        assert!(trace.iter().any(|step| step.starts_with("a grant arrives")), "{bug:?}: {trace:?}");
    }
}

#[test]
fn each_rule_is_needed() {
    for mutation in [
        Mutation::DriftBeyondBound,
        Mutation::NoWaitingTime,
        Mutation::NoMajorityRound,
        Mutation::JudgedGranted,
    ] {
        println!("{mutation:?}: {:#?}", must_be_found(mutation));
    }
}
