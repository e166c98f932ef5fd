//! Nothing more goes wrong: everybody is up, everything arrives. Then every copy has to become whole, in sync and
//! equal, and all has to come to rest.

use super::node::Copy;
use super::world::{Flight, Proposed, RETRY, World};

/// How many rounds that may take.
const ROUNDS: usize = 200;

impl World {
    /// Lets everything take its course, until nothing changes any more.
    ///
    /// # Errors
    /// What is wrong with the rest that it comes to.
    pub fn settle(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            let before = self.clone();
            self.mend();
            (0..self.nodes.len()).for_each(|node| self.talk(node));
            self.acknowledge();
            if let Some(broken) = self.broken() {
                return Err(broken);
            }
            if *self == before {
                return self.at_rest();
            }
        }
        Err(format!("no rest after {ROUNDS} rounds"))
    }

    /// Everybody is up and seated and has applied what is agreed; nothing old is on its way.
    fn mend(&mut self) {
        for message in std::mem::take(&mut self.late) {
            self.deliver(&message);
        }
        self.late_answers.clear();
        for node in 0..self.nodes.len() {
            if !self.state().is_up(node) || !self.nodes[node].lease {
                self.boot(node);
            }
            if !self.state().is_seated(node) {
                self.agree(self.state().seat(node));
            }
        }
        while !self.proposals.is_empty() {
            self.arrive(0);
        }
        let electable = (0..self.nodes.len()).find_map(|node| self.state().elect(node));
        self.agree(electable);
        let last = self.agreed.len() - 1;
        (0..self.nodes.len())
            .filter(|&node| self.nodes[node].applied < last)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|node| self.apply(node, last));
        self.forget_the_past();
    }

    /// A primary tells its replicas what it can, and proposes what is due.
    fn talk(&mut self, node: usize) {
        let followers: Vec<_> =
            self.nodes[node].lead().into_iter().flat_map(|lead| lead.followers()).collect();
        for life in followers {
            let to = self.node_of(life);
            if !self.flights.contains_key(&(node, to)) {
                let sent = self.nodes[node].message(life, (2, 1)).map(Flight::Sent);
                self.flights.extend(sent.map(|sent| ((node, to), sent)));
            }
            let answer = match self.flights.remove(&(node, to)) {
                None => continue,
                Some(Flight::Sent(message)) => self.deliver(&message),
                Some(Flight::Answered(answer)) => Some(answer),
            };
            match answer {
                Some(answer) => self.answered(node, answer),
                None => self.failed(node, to),
            }
        }
        self.propose(node, RETRY);
        let asked = |what: &Proposed| matches!(what, Proposed::HandOver { .. });
        if !self.proposals.iter().any(|proposal| proposal.by == node && asked(&proposal.what))
            && let Some(copy) = &mut self.nodes[node].copy
        {
            copy.drained = false;
        }
    }

    /// What everybody has applied is one state without a past.
    pub fn forget_the_past(&mut self) {
        if self.nodes.iter().all(|node| node.applied + 1 == self.agreed.len()) {
            self.agreed.drain(..self.agreed.len() - 1);
            self.nodes.iter_mut().for_each(|node| node.applied = 0);
            self.flights.values_mut().for_each(|flight| {
                if let Flight::Sent(message) = flight {
                    message.applied = 0;
                }
            });
        }
    }

    fn at_rest(&self) -> Result<(), String> {
        let state = self.state();
        let lives = self.nodes[..state.apart].iter().map(|node| node.life).collect();
        if state.in_sync != lives {
            return Err(format!("at rest with {} in sync", state.in_sync.len()));
        }
        let copies: Vec<&Copy> = self.nodes.iter().filter_map(|node| node.copy.as_ref()).collect();
        let leads = copies.iter().filter(|copy| copy.lead().is_some()).count();
        if copies.len() != self.nodes.len() || leads != 1 {
            return Err(format!("at rest with {} copies, {leads} of them primary", copies.len()));
        }
        let equal =
            copies.iter().all(|copy| copy.data == copies[0].data && copy.history == copies[0].history);
        let whole = copies.iter().all(|copy| copy.is_whole() && copy.epoch() == state.owner.epoch);
        if equal && whole { Ok(()) } else { Err("at rest with copies that differ".into()) }
    }
}
