//! Walks at random: longer ways, through larger worlds, than can all be tried.

use super::node::{Copy, Mutation};
use super::steps::named;
use super::world::{Action, Budget, PATIENCE, RETRY, Setting, World};
use predis_replica::StreamConfig;
use predis_types::planted::{Bug, plant};
use predis_types::{Rng, SplitMix64};
use std::collections::BTreeMap;

/// How many steps lie between two rests.
const STEPS: usize = 120;

const PLENTY: Budget = Budget {
    appends: 30,
    removals: 8,
    failures: 30,
    late: 20,
    impatience: 3,
    unknown: 3,
    downs: 1,
    boots: 1,
    seats: 2,
    hand_overs: 3,
    recoveries: 2,
};

/// A world for a seed: its size and bounds are drawn, and who of its nodes is waited for.
fn world(rng: &mut SplitMix64) -> World {
    let nodes = 2 + rng.below(3) as usize;
    let stream = StreamConfig {
        keep_bytes: rng.below(3) as usize,
        most_bytes: [3, 100][rng.below(2) as usize],
        patience_us: [0, PATIENCE][rng.below(2) as usize],
        retry_us: RETRY,
        page_bytes: 0,
    };
    let mut world = World::new(
        nodes,
        Setting {
            stream,
            keys: 5,
            rooms: vec![(1, 1), (2, 2), (100, 3)],
            settles: false,
            mutation: Mutation::None,
        },
    );
    world.agreed[0].apart = 1 + rng.below(nodes as u64) as usize;
    (0..nodes).for_each(|node| world.apply(node, 0));
    world
}

/// What kind of thing an action is: kinds are drawn first, so that what can happen in many ways does not happen always.
fn kind(action: Action) -> usize {
    match action {
        Action::GiveUp(..) | Action::NoAnswer(_) | Action::Late(_) | Action::LateAnswer(_) => 0,
        Action::GiveAway(..) => 5,
        Action::Propose(_, false)
        | Action::LeaseOver(_)
        | Action::Down(_)
        | Action::Boot(_)
        | Action::Seat(_)
        | Action::Recover(_) => 1,
        Action::Append(..) | Action::Remove(..) => 2,
        Action::Apply(..) | Action::Propose(_, true) | Action::Arrive(_) | Action::Elect(_) => 3,
        Action::Send(..) | Action::Deliver(..) | Action::Answer(..) => 4,
    }
}

/// How often each kind is drawn: in some walks there is more trouble than in others.
fn often(rng: &mut SplitMix64) -> [u64; 6] {
    [rng.below(16), 1 + rng.below(4), 5 + rng.below(20), 25, 50, rng.below(4)]
}

fn draw(rng: &mut SplitMix64, often: &[u64]) -> usize {
    let mut left = rng.below(often.iter().sum());
    let drawn = often.iter().position(|often| {
        let here = left < *often;
        left = left.saturating_sub(*often);
        here
    });
    drawn.unwrap_or(0)
}

/// What walks came by, and how often.
type Met = BTreeMap<&'static str, u32>;

/// Takes note of what a step led to.
fn note(before: &World, after: &World, met: &mut Met) {
    let mut meet = |what, came: bool| *met.entry(what).or_default() += u32::from(came);
    meet("the partition is lost", after.state().lost > before.state().lost);
    for (was, is) in before.nodes.iter().zip(&after.nodes).filter(|(was, is)| was.life == is.life) {
        let Some((was, is)) = was.copy.as_ref().zip(is.copy.as_ref()).filter(|(was, is)| was.lost == is.lost)
        else {
            continue;
        };
        let [follows, followed] = [is, was].map(Copy::following);
        if let Some((was, is)) = followed.zip(follows) {
            meet("a copy begins", was.is_whole() && !is.is_whole());
            meet("a copy of several pages goes on", was.ack().copying < is.ack().copying && !was.is_whole());
            meet("a copy is whole", !was.is_whole() && is.is_whole());
            meet("entries are replaced", is.last() < was.last());
        }
        let (leads, led) = (is.lead().is_some(), was.lead().is_some());
        meet("one that has more than it applied is elected", leads && is.history.len() > was.history.len());
        meet("a primary becomes a replica, with what it has", led && !leads && !is.history.is_empty());
        meet("a primary goes on in another epoch", led && leads && was.epoch() < is.epoch());
    }
}

/// Walks and rests in turns; the last steps before something went wrong, and what.
fn walk(seed: u64, rests: usize, met: &mut Met) -> Option<String> {
    let mut rng = SplitMix64::new(seed);
    let mut world = world(&mut rng);
    let mut trace = Vec::new();
    for _ in 0..rests {
        world.budget = PLENTY;
        let often = often(&mut rng);
        for _ in 0..STEPS {
            let drawn = draw(&mut rng, &often);
            let mut actions = world.actions();
            actions.retain(|action| kind(*action) == drawn);
            let Some(&action) = actions.get(rng.below(actions.len() as u64) as usize) else { continue };
            let before = world.clone();
            if !world.take(action) {
                continue;
            }
            if matches!(action, Action::Deliver(..) | Action::Apply(..) | Action::Elect(_)) {
                note(&before, &world, met);
            }
            trace.push(format!("{} {}", named(action).0, named(action).1));
            if let Some(broken) = world.broken() {
                return Some(format!("seed {seed}: {}: {broken}", trace.join(", ")));
            }
        }
        if let Err(wrong) = world.settle() {
            return Some(format!("seed {seed}: {}: then {wrong}", trace.join(", ")));
        }
        trace.clear();
    }
    None
}

#[test]
fn wherever_it_goes_nothing_is_lost_and_all_comes_right() {
    let mut met = Met::new();
    for seed in 0..200 {
        assert_eq!(walk(seed, 6, &mut met), None);
    }
    println!("{met:#?}");
    for (what, times) in met {
        assert!(times > 20, "{what}: only {times} times");
    }
}

#[test]
fn planted_bugs_are_met() {
    for bug in [Bug::AckBeforeInSync, Bug::LogGapIgnored, Bug::ShrinkWithoutCommit, Bug::SnapshotWithoutTail]
    {
        plant(Some(bug));
        let met = (0..150).find_map(|seed| walk(seed, 6, &mut Met::new()));
        plant(None);
        assert!(met.is_some(), "{bug:?} is not met");
    }
}
