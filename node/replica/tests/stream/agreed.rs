//! What the cluster agrees on about one partition, after every command; by the rules of `predis-meta`, in short.
//!
//! Knows no copies.

use predis_replica::{Life, Members, Ownership, SetChange};
use predis_types::{Epoch, Incarnation, NodeId};
use std::collections::BTreeSet;

/// The agreed state after one command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Agreed {
    /// Every node's latest incarnation, and whether it is up.
    nodes: Vec<(u64, bool)>,
    seats: Vec<bool>,
    /// From which node on they hold copies that nobody waits for.
    pub apart: usize,
    pub owner: Ownership,
    pub version: u64,
    pub lost: u64,
    /// Which of the losses were no beginning from nothing.
    pub recovered: BTreeSet<u64>,
    pub in_sync: BTreeSet<Life>,
}

impl Agreed {
    /// Every node is up and has a seat; the partition was never served.
    pub fn new(nodes: usize) -> Agreed {
        Agreed {
            nodes: vec![(1, true); nodes],
            seats: vec![true; nodes],
            apart: nodes,
            owner: Ownership::default(),
            version: 0,
            lost: 0,
            recovered: BTreeSet::new(),
            in_sync: BTreeSet::new(),
        }
    }

    /// The latest life of a node.
    pub fn life(&self, node: usize) -> Life {
        Life { node: NodeId(node as u64), incarnation: Incarnation(self.nodes[node].0) }
    }

    pub fn is_up(&self, node: usize) -> bool {
        self.nodes[node].1
    }

    pub fn is_seated(&self, node: usize) -> bool {
        self.seats[node]
    }

    pub fn is_primary(&self, node: usize) -> bool {
        self.owner.primary == Some(self.life(node))
    }

    pub fn members(&self) -> Members {
        let seated = |first| (first..self.nodes.len()).filter(|&node| self.seats[node] && self.is_up(node));
        let lives = |first| seated(first).map(|node| self.life(node)).collect();
        Members {
            version: self.version,
            lost: self.lost,
            recovered: self.recovered.contains(&self.lost),
            in_sync: self.in_sync.clone(),
            seated: lives(0),
            apart: lives(self.apart),
        }
    }

    /// A node was judged dead.
    pub fn down(&self, node: usize) -> Agreed {
        let mut next = self.clone();
        next.nodes[node].1 = false;
        next.vacate(self.life(node));
        next
    }

    /// A node began a new life.
    pub fn boot(&self, node: usize) -> Agreed {
        let mut next = self.clone();
        next.nodes[node] = (self.nodes[node].0 + 1, true);
        next.vacate(self.life(node));
        next
    }

    fn vacate(&mut self, life: Life) {
        if self.in_sync.remove(&life) {
            self.version += 1;
        }
        if self.owner.primary == Some(life) {
            self.owner = Ownership { primary: None, epoch: Epoch(self.owner.epoch.0 + 1) };
        }
    }

    /// The supervisor finds a primary for a partition that has none; `None`: it cannot be this node.
    pub fn elect(&self, node: usize) -> Option<Agreed> {
        let life = self.life(node);
        let mut next = self.clone();
        next.owner = Ownership { primary: Some(life), epoch: Epoch(self.owner.epoch.0 + 1) };
        if self.owner.primary.is_some() {
            return None;
        }
        if self.in_sync.is_empty() && self.seats[node] && self.is_up(node) && node < self.apart {
            next.in_sync.insert(life);
            next.version += 1;
            next.lost += u64::from(self.owner.epoch > Epoch(0));
            return Some(next);
        }
        self.in_sync.contains(&life).then_some(next)
    }

    /// Somebody decides that a partition that nobody in sync has any more goes on from this node's copy.
    pub fn recover(&self, node: usize) -> Option<Agreed> {
        let vacant = self.owner.primary.is_none() && self.in_sync.is_empty() && self.owner.epoch > Epoch(0);
        if !vacant || node < self.apart || !self.seats[node] || !self.is_up(node) {
            return None;
        }
        let (mut next, life) = (self.clone(), self.life(node));
        next.owner = Ownership { primary: Some(life), epoch: Epoch(self.owner.epoch.0 + 1) };
        next.in_sync.insert(life);
        next.version += 1;
        next.lost += 1;
        next.recovered.insert(next.lost);
        // It is at home there from now on.
        next.apart = self.nodes.len();
        Some(next)
    }

    /// The primary gives the partition away.
    pub fn hand_over(&self, (epoch, version): (Epoch, u64), to: Life) -> Option<Agreed> {
        if (epoch, version) != (self.owner.epoch, self.version) || !self.in_sync.contains(&to) {
            return None;
        }
        let mut next = self.clone();
        next.owner = Ownership { primary: Some(to), epoch: Epoch(epoch.0 + 1) };
        Some(next)
    }

    /// The primary changes the in-sync set.
    pub fn change_in_sync(&self, change: &SetChange) -> Option<Agreed> {
        let members = self.members();
        let unmoved = (change.epoch, change.version) == (self.owner.epoch, self.version);
        let primary = self.owner.primary.is_some_and(|primary| change.in_sync.contains(&primary));
        if !unmoved || !primary || !change.in_sync.is_subset(&members.seated) {
            return None;
        }
        Some(Agreed { version: self.version + 1, in_sync: change.in_sync.clone(), ..self.clone() })
    }

    /// A node gets a seat, or loses it.
    pub fn seat(&self, node: usize) -> Option<Agreed> {
        let mut next = self.clone();
        next.seats[node] ^= true;
        next.version += 1;
        next.in_sync.remove(&self.life(node));
        (!self.is_primary(node) && next.in_sync.is_empty() == self.in_sync.is_empty()).then_some(next)
    }
}
