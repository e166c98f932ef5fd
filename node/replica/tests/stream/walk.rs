//! Walks at random: longer ways, through larger worlds, than can all be tried.

use super::node::Mutation;
use super::steps::named;
use super::world::{Action, Budget, Setting, World};
use predis_replica::StreamConfig;
use predis_types::planted::{Bug, plant};
use predis_types::{Rng, SplitMix64};

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
    hand_overs: 2,
};

/// A world for a seed: its size and bounds are drawn.
fn world(rng: &mut SplitMix64, mutation: Mutation) -> World {
    let nodes = 2 + rng.below(2) as usize;
    let stream = StreamConfig {
        keep_bytes: rng.below(3) as usize,
        most_bytes: [3, 100][rng.below(2) as usize],
        patience_us: super::world::PATIENCE,
        retry_us: super::world::RETRY,
    };
    World::new(
        nodes,
        Setting { stream, keys: 5, rooms: vec![(1, 1), (2, 2), (100, 3)], settles: false, mutation },
    )
}

/// What kind of thing an action is: kinds are drawn first, so that what can happen in many ways does not happen always.
fn kind(action: Action) -> usize {
    match action {
        Action::GiveUp(..) | Action::NoAnswer(_) | Action::Late(_) | Action::LateAnswer(_) => 0,
        Action::Propose(_, false)
        | Action::LeaseOver(_)
        | Action::Down(_)
        | Action::Boot(_)
        | Action::Seat(_)
        | Action::GiveAway(..) => 1,
        Action::Append(..) | Action::Remove(..) => 2,
        Action::Apply(..) | Action::Propose(_, true) | Action::Arrive(_) | Action::Elect(_) => 3,
        Action::Send(..) | Action::Deliver(..) | Action::Answer(..) => 4,
    }
}

/// How often each kind is drawn.
const OFTEN: [u64; 5] = [8, 4, 18, 25, 45];

fn draw(rng: &mut SplitMix64) -> usize {
    let mut left = rng.below(OFTEN.iter().sum());
    let drawn = OFTEN.iter().position(|often| {
        let here = left < *often;
        left = left.saturating_sub(*often);
        here
    });
    drawn.unwrap_or(0)
}

/// Walks and rests in turns; the last steps before something went wrong, and what.
fn walk(seed: u64, rests: usize, mutation: Mutation) -> Option<String> {
    let mut rng = SplitMix64::new(seed);
    let mut world = world(&mut rng, mutation);
    let mut trace = Vec::new();
    for _ in 0..rests {
        world.budget = PLENTY;
        for _ in 0..STEPS {
            let drawn = draw(&mut rng);
            let mut actions = world.actions();
            actions.retain(|action| kind(*action) == drawn);
            let Some(&action) = actions.get(rng.below(actions.len() as u64) as usize) else { continue };
            if !world.take(action) {
                continue;
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
    for seed in 0..150 {
        assert_eq!(walk(seed, 6, Mutation::None), None);
    }
}

#[test]
fn planted_bugs_are_met() {
    for bug in [Bug::AckBeforeInSync, Bug::LogGapIgnored, Bug::ShrinkWithoutCommit, Bug::SnapshotWithoutTail]
    {
        plant(Some(bug));
        let met = (0..300).find_map(|seed| walk(seed, 3, Mutation::None));
        plant(None);
        let met = met.unwrap_or_else(|| panic!("{bug:?} is not met"));
        println!("{bug:?}: {met}");
    }
}
