//! Shortest augmenting paths between nodes that have too much and nodes that have too little.
//!
//! ```text
//! node --gives partition p to--> node --gives q to--> node      as few steps as possible
//! ```
//! The search of Edmonds and Karp (JACM 1972) over nodes. What may be given is asked of the caller, so seats
//! and primaries share it. Knows neither.

use super::quota::Bounds;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// How good a step is: smaller is better.
pub(super) type Cost = (i8, bool, bool, u16, usize);

/// One partition changes from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) partition: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Who can give what to whom.
pub(super) trait Gives {
    /// For every wanted node that `from` can give a partition to, the best one to give, leaving out those in
    /// `used`.
    fn gives(&self, from: usize, wanted: &[bool], used: &[usize]) -> BTreeMap<usize, (Cost, usize)>;
}

/// The steps of a shortest path from a source to a target, or `None`. Sources are tried in the order given.
/// No partition is in two steps, so each is as permissible after the others as before them.
pub(super) fn shortest(gives: &impl Gives, sources: &[usize], targets: &[bool]) -> Option<Vec<Step>> {
    let mut unseen: Vec<bool> = vec![true; targets.len()];
    sources.iter().for_each(|&source| unseen[source] = false);
    let mut arrived: BTreeMap<usize, Step> = BTreeMap::new();
    let mut queue: VecDeque<usize> = sources.iter().copied().collect();
    while let Some(from) = queue.pop_front() {
        let path = walk_back(&arrived, from);
        let used: Vec<usize> = path.iter().map(|step| step.partition).collect();
        let best = gives.gives(from, targets, &used).into_iter().min_by_key(|&(_, (cost, _))| cost);
        if let Some((to, (_, partition))) = best {
            return Some(path.into_iter().chain([Step { partition, from, to }]).collect());
        }
        for (to, (_, partition)) in gives.gives(from, &unseen, &used) {
            unseen[to] = false;
            arrived.insert(to, Step { partition, from, to });
            queue.push_back(to);
        }
    }
    None
}

fn walk_back(arrived: &BTreeMap<usize, Step>, at: usize) -> Vec<Step> {
    let mut path: Vec<Step> =
        std::iter::successors(arrived.get(&at), |step| arrived.get(&step.from)).copied().collect();
    path.reverse();
    path
}

/// The next path of steps that brings nodes closer to their bounds: from the fullest above its most, first to
/// one below its least, else to one below its most; and when none is above, from one above its least to one
/// below it. `None` when all are within bounds, or nothing can be done about it.
pub(super) fn rebalancing(
    gives: &impl Gives,
    bounds: &[Bounds],
    count: impl Fn(usize) -> usize,
) -> Option<Vec<Step>> {
    let nodes = 0..bounds.len();
    let mark = |test: &dyn Fn(usize) -> bool| nodes.clone().map(test).collect::<Vec<bool>>();
    let fullest_first = |test: &dyn Fn(usize) -> bool| {
        let mut sources: Vec<usize> = nodes.clone().filter(|&at| test(at)).collect();
        sources.sort_by_key(|&at| (Reverse(count(at) as isize - bounds[at].most as isize), at));
        sources
    };
    let lacking = mark(&|at| count(at) < bounds[at].least);
    let roomy = mark(&|at| count(at) < bounds[at].most);
    let over = fullest_first(&|at| count(at) > bounds[at].most);
    if !over.is_empty() {
        let path = shortest(gives, &over, &lacking).or_else(|| shortest(gives, &over, &roomy));
        if path.is_some() {
            return path;
        }
    }
    if !lacking.contains(&true) {
        return None;
    }
    let spare = fullest_first(&|at| count(at) > bounds[at].least);
    shortest(gives, &spare, &lacking)
}
