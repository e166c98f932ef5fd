//! A fourth node joins while another one is down or cut off.

use super::{NODES, PARTITIONS, Scenario, Script, any_node, at, between};
use crate::world::{HostSpec, World};
use predis_types::{Rng, SplitMix64};
use std::time::Duration;

pub(super) const SCENARIO: Scenario =
    Scenario { name: "join-during-failure", about: "a node joins while another one fails", script };

fn script(rng: &mut SplitMix64) -> Script {
    let (victim, cut) = (any_node(rng), rng.below(2) == 0);
    let fails = between(rng, 1_000, 2_000);
    let joins = fails + between(rng, 0, 1_200);
    let returns = joins + Duration::from_millis(rng.below(2_000));
    vec![
        at(
            fails,
            move |world: &mut World| {
                if cut { world.isolate(victim) } else { world.crash(victim, false) }
            },
        ),
        at(joins, move |world: &mut World| {
            world.add_node(HostSpec { node: 4, join: NODES.collect(), partitions: PARTITIONS });
        }),
        at(returns, move |world: &mut World| if cut { world.rejoin(victim) } else { world.restart(victim) }),
    ]
}
