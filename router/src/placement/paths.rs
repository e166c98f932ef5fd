//! Shortest augmenting paths between nodes that have too much and nodes that have too little.
//!
//! ```text
//! node --gives partition p to--> node --gives q to--> node      as few steps as possible
//! ```
//! `shortest` takes the fewest steps (Edmonds and Karp, JACM 1972); `cheapest` the least cost, so that paths
//! taken one after the other add up to a flow of least cost (Busacker and Gowen, 1961). What may be given is
//! asked of the caller, so seats and primaries share it. Knows neither.

use super::quota::Bounds;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// How good a step is, smaller being better: first by what it changes, then by what is only preferred.
pub(super) type Cost = (i8, i8, bool, u16, usize);

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
    let back = std::iter::successors(arrived.get(&at), |step| arrived.get(&step.from));
    // No path visits a node twice, so it has fewer steps than there are nodes to arrive at.
    let mut path: Vec<Step> = back.take(arrived.len()).copied().collect();
    path.reverse();
    path
}

/// The steps of a cheapest path from a source to a target by the first part of each step's cost, of those a
/// shortest; or `None`. For givers that have each partition at one node only, so that no path can use one twice.
pub(super) fn cheapest(gives: &impl Gives, sources: &[usize], targets: &[bool]) -> Option<Vec<Step>> {
    let nodes = targets.len();
    let mut to_source: Vec<Option<(i64, usize)>> = vec![None; nodes];
    sources.iter().for_each(|&source| to_source[source] = Some((0, 0)));
    let all = vec![true; nodes];
    let edges: Vec<_> = (0..nodes).map(|from| gives.gives(from, &all, &[])).collect();
    let mut arrived: BTreeMap<usize, Step> = BTreeMap::new();
    // Bellman and Ford: as many rounds as a path can have steps.
    for _ in 0..nodes {
        let mut changed = false;
        for (from, edges) in edges.iter().enumerate() {
            let Some((spent, steps)) = to_source[from] else { continue };
            for (&to, &(cost, partition)) in edges {
                let found = (spent + i64::from(cost.0), steps + 1);
                if to_source[to].is_none_or(|known| found < known) {
                    to_source[to] = Some(found);
                    arrived.insert(to, Step { partition, from, to });
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    let reached = (0..nodes).filter(|&at| targets[at]).filter_map(|at| Some((to_source[at]?, at)));
    reached.min().map(|(_, at)| walk_back(&arrived, at))
}

/// The next path of steps that brings nodes closer to their bounds, as `search` finds it: from the fullest
/// above its most, first to one below its least, else to one below its most; and when none is above, from one
/// above its least to one below it. `None` when all are within bounds, or nothing can be done about it.
pub(super) fn rebalancing(
    bounds: &[Bounds],
    count: impl Fn(usize) -> usize,
    search: impl Fn(&[usize], &[bool]) -> Option<Vec<Step>>,
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
        let path = search(&over, &lacking).or_else(|| search(&over, &roomy));
        if path.is_some() {
            return path;
        }
    }
    if !lacking.contains(&true) {
        return None;
    }
    let spare = fullest_first(&|at| count(at) > bounds[at].least);
    search(&spare, &lacking)
}
