//! Which of a partition's seats is its primary: kept where it is, otherwise a survivor, evened out.
//!
//! Moves no seat; knows nothing of zones.

use super::layout::Layout;
use super::paths::{self, Cost, Gives, Step};
use super::seats::Seats;
use std::collections::{BTreeMap, BTreeSet};

/// The primaries while they are worked on. Nodes and partitions are indices.
pub(super) struct Primaries<'a> {
    layout: &'a Layout,
    ranks: &'a [Vec<u16>],
    seats: &'a Seats<'a>,
    was: &'a [Option<usize>],
    chosen: Vec<usize>,
    of: Vec<BTreeSet<usize>>,
}

impl<'a> Primaries<'a> {
    /// Everyone's primary as it was where that seat is still there or was passed on; elsewhere a survivor with
    /// room, or failing that the preferred new seat.
    pub(super) fn new(
        layout: &'a Layout,
        ranks: &'a [Vec<u16>],
        seats: &'a Seats<'a>,
        was: &'a [Option<usize>],
    ) -> Self {
        let mut of = vec![BTreeSet::new(); layout.nodes.len()];
        let mut kept: Vec<Option<usize>> = Vec::with_capacity(was.len());
        for partition in 0..was.len() {
            let primary = seats.leader(partition);
            primary.into_iter().for_each(|at| _ = of[at].insert(partition));
            kept.push(primary);
        }
        let mut primaries = Primaries { layout, ranks, seats, was, chosen: Vec::new(), of };
        for (partition, primary) in kept.into_iter().enumerate() {
            let primary = primary.unwrap_or_else(|| primaries.elect(partition));
            primaries.of[primary].insert(partition);
            primaries.chosen.push(primary);
        }
        primaries
    }

    /// Changes primaries until every node is within its bounds, the fewest that will do.
    pub(super) fn balance(&mut self) {
        while let Some(path) = self.next_path() {
            for Step { partition, from, to } in path {
                self.of[from].remove(&partition);
                self.of[to].insert(partition);
                self.chosen[partition] = to;
            }
        }
    }

    /// Every partition's seats, its primary first, the others in the order they were held, then preferred.
    pub(super) fn ordered(&self) -> impl Iterator<Item = Vec<usize>> {
        self.chosen.iter().enumerate().map(|(partition, &primary)| {
            let mut seats = self.seats.held(partition).to_vec();
            seats.sort_by_key(|&at| {
                let new = !self.seats.was_held(partition, at);
                (at != primary, new, if new { self.ranks[partition][at] } else { 0 })
            });
            seats
        })
    }

    fn next_path(&self) -> Option<Vec<Step>> {
        let search = |sources: &[usize], targets: &[bool]| paths::cheapest(self, sources, targets);
        paths::rebalancing(&self.layout.primaries, |at| self.of[at].len(), search)
    }

    fn elect(&self, partition: usize) -> usize {
        let seats = self.seats.held(partition);
        let best = seats.iter().enumerate().min_by_key(|&(order, &at)| {
            let count = self.of[at].len();
            let bounds = self.layout.primaries[at];
            let beyond = (count + 1).saturating_sub(bounds.most);
            let new = !self.seats.was_held(partition, at);
            (
                beyond,
                new,
                count >= bounds.least,
                if new { usize::from(self.ranks[partition][at]) } else { order },
            )
        });
        *best.expect("a placement with eligible nodes gives every partition a seat").1
    }
}

impl Gives for Primaries<'_> {
    fn gives(&self, from: usize, wanted: &[bool], used: &[usize]) -> BTreeMap<usize, (Cost, usize)> {
        let mut best: BTreeMap<usize, (Cost, usize)> = BTreeMap::new();
        for &partition in self.of[from].iter().filter(|partition| !used.contains(partition)) {
            for &to in self.seats.held(partition).iter().filter(|&&to| to != from && wanted[to]) {
                let was = |at| i8::from(self.was[partition] == Some(at));
                // Among equals a seat with data: one without can take over only once it has been copied.
                let new = i8::from(!self.seats.was_held(partition, to));
                let cost = (was(from) - was(to), new, false, self.ranks[partition][to], partition);
                let found = (cost, partition);
                best.entry(to).and_modify(|known| *known = found.min(*known)).or_insert(found);
            }
        }
        best
    }
}
