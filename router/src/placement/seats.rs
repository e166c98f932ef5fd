//! Which nodes hold a seat in which partition: kept, dropped, filled and evened out.
//!
//! Knows no primaries, except that the seat a partition's primary sits in is the last to be taken away.

use super::layout::Layout;
use super::paths::{self, Cost, Gives, Step};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The seats while they are worked on. Nodes and partitions are indices.
pub(super) struct Seats<'a> {
    layout: &'a Layout,
    ranks: &'a [Vec<u16>],
    /// What eligible nodes held before.
    before: Vec<Vec<usize>>,
    held: Vec<Vec<usize>>,
    of: Vec<BTreeSet<usize>>,
}

impl<'a> Seats<'a> {
    /// Everything as it was, each node once in a partition.
    pub(super) fn new(layout: &'a Layout, ranks: &'a [Vec<u16>], before: Vec<Vec<usize>>) -> Self {
        let mut held = before.clone();
        for seats in &mut held {
            let mut seen = BTreeSet::new();
            seats.retain(|&at| seen.insert(at));
        }
        let mut of = vec![BTreeSet::new(); layout.nodes.len()];
        for (partition, seats) in held.iter().enumerate() {
            seats.iter().for_each(|&at| _ = of[at].insert(partition));
        }
        Seats { layout, ranks, before, held, of }
    }

    /// The seats of a partition: those it had before first, in their order.
    pub(super) fn held(&self, partition: usize) -> &[usize] {
        &self.held[partition]
    }

    /// Whether a seat was there before.
    pub(super) fn was_held(&self, partition: usize, node: usize) -> bool {
        self.before[partition].contains(&node)
    }

    /// Drops seats beyond `copies`, and as many as must go for the zones to be distinct.
    pub(super) fn drop_misplaced(&mut self) {
        for partition in 0..self.held.len() {
            loop {
                let seats = &self.held[partition];
                if seats.len() <= self.layout.copies && self.layout.shortfall(seats.iter().copied()) == 0 {
                    break;
                }
                let Some(&worst) = seats.iter().min_by_key(|&&at| {
                    let rest = seats.iter().copied().filter(|&other| other != at);
                    (self.layout.shortfall(rest), seats[0] == at, Reverse(self.excess(at)), at)
                }) else {
                    break;
                };
                self.remove(partition, worst);
            }
        }
    }

    /// Gives every partition the seats it lacks, to nodes with room, by preference.
    pub(super) fn fill(&mut self) {
        for partition in 0..self.held.len() {
            while self.held[partition].len() < self.layout.copies {
                let candidates = (0..self.layout.nodes.len())
                    .filter(|at| !self.held[partition].contains(at))
                    .map(|at| (self.fill_cost(partition, at), at));
                let Some((_, best)) = candidates.min() else { break };
                self.held[partition].push(best);
                self.of[best].insert(partition);
            }
        }
    }

    /// Moves seats until every node is within its bounds, the fewest that will do.
    pub(super) fn balance(&mut self) {
        let bounds = &self.layout.seats;
        while let Some(path) = paths::rebalancing(self, bounds, |at| self.of[at].len()) {
            path.into_iter().for_each(|step| self.give(step));
        }
    }

    fn give(&mut self, step: Step) {
        self.remove(step.partition, step.from);
        self.held[step.partition].push(step.to);
        self.of[step.to].insert(step.partition);
    }

    fn remove(&mut self, partition: usize, node: usize) {
        self.held[partition].retain(|&at| at != node);
        self.of[node].remove(&partition);
    }

    fn excess(&self, node: usize) -> isize {
        self.of[node].len() as isize - self.layout.seats[node].most as isize
    }

    fn fill_cost(&self, partition: usize, node: usize) -> (usize, isize, bool, u16) {
        let seats = &self.held[partition];
        let shortfall = self.layout.shortfall(seats.iter().copied().chain([node]));
        let count = self.of[node].len();
        let bounds = self.layout.seats[node];
        // Below the least: first. Below the most: next. Beyond: the least exceeded.
        let room = if count < bounds.least { -1 } else { self.excess(node).max(-1) + 1 };
        (shortfall, room, self.shares_region(seats.iter().copied(), node), self.ranks[partition][node])
    }

    fn shares_region(&self, mut seats: impl Iterator<Item = usize>, node: usize) -> bool {
        let region = self.layout.nodes[node].region;
        seats.any(|at| self.layout.nodes[at].region == region)
    }

    fn cost(&self, partition: usize, from: usize, to: usize) -> Cost {
        let seats = &self.held[partition];
        let moved = i8::from(self.was_held(partition, from)) - i8::from(self.was_held(partition, to));
        let rest = seats.iter().copied().filter(|&at| at != from);
        (moved, seats[0] == from, self.shares_region(rest, to), self.ranks[partition][to], partition)
    }

    fn permits(&self, partition: usize, from: usize, to: usize) -> bool {
        let seats = &self.held[partition];
        if seats.contains(&to) {
            return false;
        }
        let after = seats.iter().map(|&at| if at == from { to } else { at });
        self.layout.shortfall(after) <= self.layout.shortfall(seats.iter().copied())
    }
}

impl Gives for Seats<'_> {
    fn gives(&self, from: usize, wanted: &[bool], used: &[usize]) -> BTreeMap<usize, (Cost, usize)> {
        let mut best: BTreeMap<usize, (Cost, usize)> = BTreeMap::new();
        let wanted: Vec<usize> = (0..wanted.len()).filter(|&at| wanted[at] && at != from).collect();
        for &partition in self.of[from].iter().filter(|partition| !used.contains(partition)) {
            for &to in wanted.iter().filter(|&&to| self.permits(partition, from, to)) {
                let found = (self.cost(partition, from, to), partition);
                best.entry(to).and_modify(|known| *known = found.min(*known)).or_insert(found);
            }
        }
        best
    }
}
