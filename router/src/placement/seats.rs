//! Which nodes hold a seat in which partition: kept, dropped, filled and evened out.
//!
//! Who is primary is decided later. But a seat that is taken from a primary with too many, by a node with too
//! few, carries the primaryship along: otherwise two nodes of one zone, which never share a partition, could
//! only pass it on by way of a third.

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
    /// Where each partition's primary was, as long as it has a seat; or the one that took its seat and place.
    leads: Vec<Option<usize>>,
    /// How many partitions each node leads by that.
    led: Vec<usize>,
    /// Whether only seats that are new anyway may be moved.
    only_new: bool,
}

impl<'a> Seats<'a> {
    /// Everything as it was, each node once in a partition; `was` is each partition's primary, if eligible.
    pub(super) fn new(
        layout: &'a Layout,
        ranks: &'a [Vec<u16>],
        before: Vec<Vec<usize>>,
        was: &[Option<usize>],
    ) -> Self {
        let mut held = before.clone();
        for seats in &mut held {
            let mut seen = BTreeSet::new();
            seats.retain(|&at| seen.insert(at));
        }
        let mut of = vec![BTreeSet::new(); layout.nodes.len()];
        for (partition, seats) in held.iter().enumerate() {
            seats.iter().for_each(|&at| _ = of[at].insert(partition));
        }
        let mut led = vec![0; layout.nodes.len()];
        was.iter().flatten().for_each(|&at| led[at] += 1);
        Seats { layout, ranks, before, held, of, leads: was.to_vec(), led, only_new: false }
    }

    /// The seats of a partition: those it had before first, in their order.
    pub(super) fn held(&self, partition: usize) -> &[usize] {
        &self.held[partition]
    }

    /// Who leads a partition so far.
    pub(super) fn leader(&self, partition: usize) -> Option<usize> {
        self.leads[partition]
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
                    (
                        self.layout.shortfall(rest),
                        self.leads[partition] == Some(at),
                        Reverse(self.excess(at)),
                        at,
                    )
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

    /// Moves seats until every node is within its bounds, as few as will do: those that are new first.
    pub(super) fn balance(&mut self) {
        for only_new in [true, false] {
            self.only_new = only_new;
            while let Some(path) = self.next_path() {
                path.into_iter().for_each(|step| self.give(step));
            }
        }
    }

    fn next_path(&self) -> Option<Vec<Step>> {
        let search = |sources: &[usize], targets: &[bool]| paths::shortest(self, sources, targets);
        paths::rebalancing(&self.layout.seats, |at| self.of[at].len(), search)
    }

    fn give(&mut self, step: Step) {
        let carried = self.leads[step.partition] == Some(step.from) && self.carries(step.from, step.to);
        self.remove(step.partition, step.from);
        self.held[step.partition].push(step.to);
        self.of[step.to].insert(step.partition);
        if carried {
            self.leads[step.partition] = Some(step.to);
            self.led[step.to] += 1;
        }
    }

    fn remove(&mut self, partition: usize, node: usize) {
        self.held[partition].retain(|&at| at != node);
        self.of[node].remove(&partition);
        if self.leads[partition] == Some(node) {
            self.leads[partition] = None;
            self.led[node] -= 1;
        }
    }

    /// Whether a primaryship that goes along with a seat helps both.
    fn carries(&self, from: usize, to: usize) -> bool {
        let bounds = &self.layout.primaries;
        self.led[from] > bounds[from].least && self.led[to] < bounds[to].least
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
        let leader = match self.leads[partition] == Some(from) {
            true if self.carries(from, to) => -1,
            true => 1,
            false => 0,
        };
        (moved, leader, self.shares_region(rest, to), self.ranks[partition][to], partition)
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
        for &partition in &self.of[from] {
            if used.contains(&partition) || (self.only_new && self.was_held(partition, from)) {
                continue;
            }
            for &to in wanted.iter().filter(|&&to| self.permits(partition, from, to)) {
                let found = (self.cost(partition, from, to), partition);
                best.entry(to).and_modify(|known| *known = found.min(*known)).or_insert(found);
            }
        }
        best
    }
}
