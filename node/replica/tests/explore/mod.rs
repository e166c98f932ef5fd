//! Exhaustive exploration: every state that a small world can reach, breadth first, each visited once.
//!
//! Knows no world in particular.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};

/// A step's name and whom or what it concerns.
pub type Step = (&'static str, u64);

/// A world that can take one of several steps, whoever's turn it happens to be.
pub trait World: Clone + Hash {
    /// Every world that is one step away, each with the step's name.
    fn steps(&self) -> Vec<(Step, Self)>;

    /// What is wrong with this state, if anything.
    fn wrong(&self) -> Option<String>;
}

/// What an exploration came to.
pub struct Explored {
    /// How many different states there were, up to the one that was wrong.
    pub states: usize,
    /// The shortest way to a wrong state, ending in what is wrong.
    pub counterexample: Option<Vec<String>>,
}

/// Explores from `start` until something is wrong or nothing is left. Panics beyond `most` states: a bounded
/// world that is not bounded proves nothing.
pub fn explore<W: World>(start: W, most: usize) -> Explored {
    let mut seen: BTreeSet<u64> = BTreeSet::from([fingerprint(&start)]);
    // For every state found: the one it was found from, and by which step.
    let mut origin: Vec<(usize, Step)> = vec![(0, ("", 0))];
    let mut queue: VecDeque<(usize, W)> = VecDeque::from([(0, start)]);
    while let Some((at, world)) = queue.pop_front() {
        if let Some(wrong) = world.wrong() {
            let mut trace = vec![wrong];
            let mut back = at;
            while back != 0 {
                let (name, of) = origin[back].1;
                trace.push(format!("{name} {of}"));
                back = origin[back].0;
            }
            trace.reverse();
            return Explored { states: seen.len(), counterexample: Some(trace) };
        }
        for (name, next) in world.steps() {
            if seen.insert(fingerprint(&next)) {
                assert!(seen.len() <= most, "more than {most} states");
                origin.push((at, name));
                queue.push_back((origin.len() - 1, next));
            }
        }
    }
    Explored { states: seen.len(), counterexample: None }
}

fn fingerprint(world: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}
