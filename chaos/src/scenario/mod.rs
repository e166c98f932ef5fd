//! What happens to the cluster, one file each: a script of faults over a few simulated seconds.
//!
//! A script is drawn from the seed before the run; only whom a fault hits may depend on the run (the leader, say).

mod back_within_lease;
mod join_during_failure;
mod leader_crash;
mod leader_cut_off;
mod lossy_network;
mod one_way_partition;
mod partition_and_heal;
mod power_loss;
mod slow_then_cut;

use crate::world::{HostSpec, World};
use predis_types::{Rng, SplitMix64};
use std::time::Duration;

/// Something that happens at a time.
pub type Action = Box<dyn FnOnce(&mut World)>;

/// A script: actions in order of time.
pub type Script = Vec<(Duration, Action)>;

/// A kind of trouble.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What happens, in a few words.
    pub about: &'static str,
    /// Draws the script.
    pub script: fn(&mut SplitMix64) -> Script,
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
];

/// The nodes that every scenario starts with.
pub const NODES: std::ops::RangeInclusive<u64> = 1..=3;

/// How many partitions a simulated cluster has: enough to be spread, few enough to be quick.
const PARTITIONS: u16 = 16;

/// The scenario of this name.
pub fn named(name: &str) -> Option<Scenario> {
    ALL.iter().copied().find(|scenario| scenario.name == name)
}

/// Three nodes and three clients, as every scenario begins; one of them comes by the proxy endpoints.
pub fn begin(world: &mut World) {
    for node in NODES {
        let join = if node == 1 { vec![] } else { vec![1] };
        world.add_node(HostSpec { node, join, partitions: PARTITIONS });
    }
    for client in 0..3 {
        world.add_client(client, NODES.collect());
    }
}

/// A random time between two, in milliseconds.
fn between(rng: &mut SplitMix64, from_ms: u64, to_ms: u64) -> Duration {
    Duration::from_millis(from_ms + rng.below(to_ms - from_ms + 1))
}

/// A random node.
fn any_node(rng: &mut SplitMix64) -> u64 {
    NODES.start() + rng.below(NODES.count() as u64)
}

fn at(time: Duration, action: impl FnOnce(&mut World) + 'static) -> (Duration, Action) {
    (time, Box::new(action))
}
