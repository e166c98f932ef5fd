//! What is explored, and what the exploration must find.

use super::explore::{Explored, explore};
use super::node::Mutation;
use super::world::{Budget, PATIENCE, RETRY, Setting, World};
use predis_replica::StreamConfig;
use predis_types::planted::{Bug, plant};

const MOST_STATES: usize = 200_000;

/// Nothing is kept longer than somebody needs it, so that whoever is behind needs a copy.
const STREAM: StreamConfig =
    StreamConfig { keep_bytes: 0, most_bytes: 100, patience_us: PATIENCE, retry_us: RETRY, page_bytes: 0 };

/// A primary alone with some keys, that everybody else is to copy.
fn alone(nodes: usize, keys: u64, mutation: Mutation) -> World {
    let setting = Setting { stream: STREAM, keys: 1, rooms: vec![(100, 100)], settles: false, mutation };
    let mut world = World::new(nodes, setting);
    (0..keys).for_each(|key| world.nodes[0].append(key, Some(0)));
    world.acknowledge();
    world
}

/// Everybody is in sync.
fn in_sync(nodes: usize, mutation: Mutation) -> World {
    let mut world = alone(nodes, 1, Mutation::None);
    assert_eq!(world.settle(), Ok(()));
    world.setting.mutation = mutation;
    world
}

/// Everybody is in sync, and every entry that ever was is kept: nobody needs a copy.
fn from_the_start(nodes: usize) -> World {
    let mut world = alone(nodes, 0, Mutation::None);
    assert_eq!(world.settle(), Ok(()));
    world
}

/// Everybody is in sync but the last, whose copy nobody waits for; `anew`: it has none yet.
fn apart(nodes: usize, anew: bool, mutation: Mutation) -> World {
    let mut world = in_sync(nodes, Mutation::None);
    let mut state = world.state().clone();
    state.apart = nodes - 1;
    world.agree(Some(state));
    (0..nodes).for_each(|node| world.apply(node, world.agreed.len() - 1));
    assert_eq!(world.settle(), Ok(()));
    if anew {
        world.boot(nodes - 1);
        (0..nodes - 1).for_each(|node| world.apply(node, world.agreed.len() - 1));
        world.forget_the_past();
    }
    world.setting.mutation = mutation;
    world
}

/// A copy in pages whose ends depend on when they are made.
fn in_pages(keys: u64, mutation: Mutation) -> World {
    let mut world = alone(2, keys, mutation);
    (world.setting.rooms, world.setting.keys) = (vec![(100, 1), (100, 2)], keys - 1);
    world
}

/// No more than one entry is kept, whoever needs it.
fn crowded(mutation: Mutation) -> World {
    let mut world = in_sync(2, mutation);
    world.setting.stream.most_bytes = 1;
    // A new life of every node, with the new bounds.
    (0..2).for_each(|node| world.boot(node));
    assert_eq!(world.settle(), Ok(()));
    world
}

fn within(mut world: World, budget: Budget) -> Explored {
    world.budget = budget;
    explore(world, MOST_STATES)
}

fn holds(name: &str, world: World, budget: Budget) {
    let explored = within(world, budget);
    println!("{name}: {} states", explored.states);
    assert_eq!(explored.counterexample, None, "{name}");
    assert!(explored.states > 500, "{name}: the world has become too small to prove anything");
}

/// As [`holds`], and from every state all comes right.
fn holds_and_settles(name: &str, mut world: World, budget: Budget) {
    world.setting.settles = true;
    holds(name, world, budget);
}

/// The last words of the shortest counterexample; nothing, where there is none.
fn found(world: World, budget: Budget) -> String {
    let trace = within(world, budget).counterexample.unwrap_or_default();
    println!("{trace:?}");
    trace.last().cloned().unwrap_or_default()
}

const NONE: Budget = Budget {
    appends: 0,
    removals: 0,
    failures: 0,
    late: 0,
    impatience: 0,
    unknown: 0,
    downs: 0,
    boots: 0,
    seats: 0,
    hand_overs: 0,
    recoveries: 0,
};
const PAGES: Budget = Budget { appends: 1, failures: 1, late: 1, ..NONE };
const SEATS: Budget = Budget { appends: 2, seats: 2, failures: 1, ..NONE };
const JOINING: Budget = Budget { appends: 1, failures: 1, downs: 1, unknown: 1, ..NONE };
const BOOTS: Budget = Budget { appends: 2, boots: 2, ..NONE };
const SETS: Budget = Budget { appends: 1, impatience: 1, unknown: 1, downs: 1, ..NONE };

#[test]
fn copies_come_to_be_whole_and_equal() {
    holds("pages", in_pages(4, Mutation::None), PAGES);
    holds("removals", in_pages(3, Mutation::None), Budget { appends: 0, removals: 1, ..PAGES });
    holds_and_settles("joining", alone(2, 1, Mutation::None), JOINING);
}

#[test]
fn what_is_acknowledged_outlives_its_primary() {
    holds("three", in_sync(3, Mutation::None), Budget { appends: 2, downs: 1, ..NONE });
    let failing = Budget { appends: 1, downs: 1, failures: 1, ..NONE };
    holds("three, failing", in_sync(3, Mutation::None), failing);
    holds_and_settles("boots", in_sync(2, Mutation::None), BOOTS);
    holds("three, one comes back", from_the_start(3), Budget { appends: 1, boots: 1, ..NONE });
}

#[test]
fn sets_change_only_as_agreed() {
    holds("sets", alone(2, 0, Mutation::None), SETS);
    holds_and_settles("seats", in_sync(2, Mutation::None), SEATS);
    holds("seats, late", in_sync(2, Mutation::None), Budget { appends: 1, late: 1, ..SEATS });
    let crowded_budget = Budget { appends: 3, failures: 1, ..NONE };
    holds_and_settles("crowded", crowded(Mutation::None), crowded_budget);
}

#[test]
fn a_partition_is_given_away_without_a_loss() {
    let twice = Budget { appends: 1, hand_overs: 2, unknown: 1, failures: 1, ..NONE };
    holds_and_settles("hand-over", in_sync(2, Mutation::None), twice);
    let once = Budget { appends: 1, hand_overs: 1, ..NONE };
    holds("hand-over of three", in_sync(3, Mutation::None), once);
}

#[test]
fn a_copy_that_nobody_waits_for_goes_on_and_never_leads() {
    let losing = Budget { appends: 1, downs: 1, ..NONE };
    holds_and_settles(
        "apart",
        apart(2, false, Mutation::None),
        Budget { appends: 2, boots: 2, failures: 1, ..NONE },
    );
    holds("apart, anew", apart(3, true, Mutation::None), losing);
    holds("apart, failing", apart(3, false, Mutation::None), Budget { failures: 1, ..losing });
    holds("apart, given away", apart(3, false, Mutation::None), Budget { appends: 1, hand_overs: 1, ..NONE });
}

#[test]
fn a_partition_goes_on_from_one_copy_and_nobody_keeps_another() {
    let budget = Budget { appends: 2, downs: 1, recoveries: 1, ..NONE };
    holds_and_settles("recovered", apart(2, false, Mutation::None), Budget { failures: 1, ..budget });
    let mut two = apart(3, false, Mutation::None);
    // Both copies are apart from a primary alone.
    let mut state = two.state().clone();
    (state.apart, state.version) = (1, state.version + 1);
    state.in_sync.retain(|life| life.node.0 == 0);
    two.agree(Some(state));
    (0..3).for_each(|node| two.apply(node, two.agreed.len() - 1));
    assert_eq!(two.settle(), Ok(()));
    holds("recovered of two", two.clone(), Budget { appends: 1, ..budget });
    two.setting.mutation = Mutation::AllRecovered;
    let found = found(two, Budget { appends: 1, ..budget });
    assert!(found.contains("a replica has what its primary has not"), "{found}");
}

#[test]
fn planted_bugs_are_found() {
    let cases: [(Bug, World, Budget, &str); 4] = [
        (Bug::AckBeforeInSync, in_sync(2, Mutation::None), SEATS, "is in sync without what was acknowledged"),
        (
            Bug::ShrinkWithoutCommit,
            in_sync(2, Mutation::None),
            Budget { appends: 2, ..SETS },
            "is in sync without what was acknowledged",
        ),
        (Bug::LogGapIgnored, in_sync(2, Mutation::None), SEATS, "a replica has what its primary has not"),
        (Bug::SnapshotWithoutTail, in_pages(3, Mutation::None), PAGES, "data is not what its history makes"),
    ];
    for (bug, world, budget, wrong) in cases {
        plant(Some(bug));
        let found = found(world, budget);
        plant(None);
        assert!(found.contains(wrong), "{bug:?}: {found}");
    }
}

#[test]
fn carelessness_is_found() {
    let cases: [(Mutation, World, Budget, &str); 7] = [
        (Mutation::LostIgnored, alone(2, 1, Mutation::LostIgnored), JOINING, "what was lost comes back"),
        (Mutation::OnlyIfHeard, alone(2, 1, Mutation::OnlyIfHeard), JOINING, "in sync without what was ack"),
        (Mutation::LateAnswered, in_sync(2, Mutation::LateAnswered), SEATS, "in sync without what was ack"),
        (Mutation::AheadTaken, in_sync(2, Mutation::AheadTaken), SEATS, "in sync without what was ack"),
        (Mutation::LateTaken, in_pages(4, Mutation::LateTaken), PAGES, "not what its history makes"),
        (
            Mutation::DirtyGoesOn,
            apart(3, true, Mutation::DirtyGoesOn),
            Budget { appends: 1, downs: 1, ..NONE },
            "has what its primary",
        ),
        (Mutation::OutcomeNotTold, settling(alone(2, 1, Mutation::OutcomeNotTold)), JOINING, "1 in sync"),
    ];
    for (mutation, world, budget, wrong) in cases {
        let found = found(world, budget);
        assert!(found.contains(wrong), "{mutation:?}: {found}");
    }
}

fn settling(mut world: World) -> World {
    world.setting.settles = true;
    world
}
