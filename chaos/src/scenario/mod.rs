//! What happens to the cluster, one file each: a script of faults over a few simulated seconds.
//!
//! A script is drawn from the seed before it is played; only whom a fault hits may depend on the run (the leader,
//! say). A long run plays several scripts of its scenario, one after the other.

mod back_within_lease;
mod clock_jumps;
mod clocks_far_off;
mod disk_faults;
mod drain_under_faults;
mod duplicated_calls;
mod everything;
mod flapping_link;
mod held_messages;
mod join_and_leave_under_faults;
mod join_during_failure;
mod leader_crash;
mod leader_cut_off;
mod lossy_network;
mod one_way_partition;
mod partition_and_heal;
mod pause_primary;
mod power_loss;
mod slow_node;
mod slow_then_cut;
mod weights_change;

use crate::{
    fault::{Action, Episode, Fault},
    workload,
    world::{HostSpec, World},
};
use predis_types::{Rng, SplitMix64};
use std::{ops::RangeInclusive, time::Duration};

/// A script: what happens, and when after it began.
pub type Script = Vec<(Duration, Action)>;

/// A kind of trouble.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens, in a few words.
    pub about: &'static str,
    /// How many nodes the cluster begins with.
    pub nodes: u64,
    /// The invariants that need not hold in it, by name: the trouble is beyond what the product bears.
    pub excuses: &'static [&'static str],
    /// Draws a script for a cluster of so many nodes.
    pub script: fn(&mut SplitMix64, u64) -> Script,
}

/// All scenarios.
pub const ALL: &[Scenario] = &[
    leader_crash::SCENARIO,
    leader_cut_off::SCENARIO,
    partition_and_heal::SCENARIO,
    one_way_partition::SCENARIO,
    lossy_network::SCENARIO,
    slow_then_cut::SCENARIO,
    power_loss::SCENARIO,
    back_within_lease::SCENARIO,
    join_during_failure::SCENARIO,
    pause_primary::SCENARIO,
    flapping_link::SCENARIO,
    held_messages::SCENARIO,
    duplicated_calls::SCENARIO,
    disk_faults::SCENARIO,
    slow_node::SCENARIO,
    clock_jumps::SCENARIO,
    clocks_far_off::SCENARIO,
    join_and_leave_under_faults::SCENARIO,
    drain_under_faults::SCENARIO,
    weights_change::SCENARIO,
    everything::SCENARIO,
];

/// How many nodes most scenarios start with.
const THREE: u64 = 3;

/// How many nodes those start with that shrink the cluster, or break more than one of it.
const FIVE: u64 = 5;

/// How many partitions a simulated cluster has: enough to be spread, few enough to be quick.
pub const PARTITIONS: u16 = 16;

/// The scenario of this name.
pub fn named(name: &str) -> Option<Scenario> {
    ALL.iter().copied().find(|scenario| scenario.name == name)
}

/// The numbers of so many nodes.
pub fn numbers(nodes: u64) -> RangeInclusive<u64> {
    1..=nodes
}

/// So many nodes, a cluster of their own, and clients, as every scenario begins.
pub fn begin(world: &mut World, nodes: u64) {
    begin_without_clients(world, nodes);
    for client in 0..workload::CLIENTS {
        world.add_client(client);
    }
}

/// So many nodes, a cluster of their own.
pub fn begin_without_clients(world: &mut World, nodes: u64) {
    for node in numbers(nodes) {
        let join = if node == 1 { vec![] } else { vec![1] };
        world.add_node(HostSpec { node, join, partitions: PARTITIONS });
    }
}

/// A random time between two, in milliseconds.
fn between(rng: &mut SplitMix64, from_ms: u64, to_ms: u64) -> Duration {
    Duration::from_millis(from_ms + rng.below(to_ms - from_ms + 1))
}

/// A random node of so many.
fn any_node(rng: &mut SplitMix64, nodes: u64) -> u64 {
    1 + rng.below(nodes)
}

/// One of several.
fn any<T: Copy>(rng: &mut SplitMix64, of: &[T]) -> T {
    of[rng.below(of.len() as u64) as usize]
}

fn at(time: Duration, action: impl FnOnce(&mut World) + 'static) -> (Duration, Action) {
    (time, Box::new(action))
}

/// Something goes wrong at a time, and is over after another.
fn during(script: &mut Script, time: Duration, lasts: Duration, episode: Episode) {
    script.push((time, episode.begin));
    script.push((time + lasts, episode.end));
}

/// Some of these faults, so many, begin at random times between two and may overlap.
fn scatter(
    script: &mut Script,
    rng: &mut SplitMix64,
    (faults, nodes): (&[Fault], u64),
    count: u64,
    (from_ms, to_ms): (u64, u64),
) {
    for _ in 0..count {
        let time = between(rng, from_ms, to_ms);
        let (lasts, episode) = any(rng, faults).episode(rng, nodes);
        during(script, time, lasts, episode);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant;
    use std::collections::BTreeSet;

    #[test]
    fn scenarios_have_names_of_their_own_and_scripts_that_do_something() {
        let names: BTreeSet<_> = ALL.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), ALL.len());
        let judged = invariant::all();
        for excused in ALL.iter().flat_map(|scenario| scenario.excuses) {
            assert!(judged.iter().any(|invariant| invariant.name() == *excused), "{excused}");
        }
        for scenario in ALL {
            for seed in 0..20 {
                let script = (scenario.script)(&mut SplitMix64::new(seed), scenario.nodes);
                assert!(!script.is_empty(), "{} {seed}", scenario.name);
            }
        }
    }
}
