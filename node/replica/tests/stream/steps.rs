//! What can happen in a world, and what it leads to.

use super::explore::{self, Step};
use super::world::{Action, Flight, PATIENCE, Proposal, Proposed, World};

impl World {
    /// Everything that can happen now.
    pub fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for node in 0..self.nodes.len() {
            self.node_actions(node, &mut actions);
            self.cluster_actions(node, &mut actions);
        }
        for (&(from, to), flight) in &self.flights {
            match flight {
                Flight::Sent(message) => {
                    if self.nodes[to].hears(message, self.setting.mutation) {
                        actions.push(Action::Deliver(from, to, false));
                        if self.budget.late > 0 {
                            actions.push(Action::Deliver(from, to, true));
                        }
                    }
                }
                Flight::Answered(_) => actions.push(Action::Answer(from, to)),
            }
            if self.budget.failures > 0 {
                actions.push(Action::GiveUp(from, to, false));
                if self.budget.late > 0 {
                    actions.push(Action::GiveUp(from, to, true));
                }
            }
        }
        let hears = |at: &usize| {
            let message = &self.late[*at];
            self.nodes[self.node_of(message.to)].hears(message, self.setting.mutation)
        };
        actions.extend((0..self.late.len()).filter(hears).map(Action::Late));
        actions.extend((0..self.late_answers.len()).map(Action::LateAnswer));
        for (at, proposal) in self.proposals.iter().enumerate() {
            actions.push(Action::Arrive(at));
            if self.budget.unknown > 0 && proposal.awaited {
                actions.push(Action::NoAnswer(at));
            }
        }
        actions
    }

    fn node_actions(&self, node: usize, actions: &mut Vec<Action>) {
        let Self { nodes, budget, setting, .. } = self;
        actions.extend((nodes[node].applied + 1..self.agreed.len()).map(|upto| Action::Apply(node, upto)));
        let Some(copy) = &nodes[node].copy else { return };
        let Some(lead) = copy.lead() else { return };
        if !copy.drained {
            if budget.appends > 0 {
                actions.extend((0..setting.keys).map(|key| Action::Append(node, key)));
            }
            if budget.removals > 0 {
                actions.extend(copy.data.keys().map(|&key| Action::Remove(node, key)));
            }
        }
        for life in lead.followers() {
            let to = self.node_of(life);
            if !self.flights.contains_key(&(node, to)) {
                actions.extend((0..setting.rooms.len()).map(|room| Action::Send(node, to, room)));
            }
            if budget.hand_overs > 0 && !copy.drained && lead.may_hand_over_to(life) {
                actions.push(Action::GiveAway(node, to));
            }
        }
        if budget.hand_overs > 0 {
            actions.push(Action::GiveAway(node, node));
        }
        if nodes[node].lease {
            actions.push(Action::Propose(node, true));
            if budget.impatience > 0 {
                actions.push(Action::Propose(node, false));
            }
        }
    }

    fn cluster_actions(&self, node: usize, actions: &mut Vec<Action>) {
        let (state, budget) = (self.state(), self.budget);
        let leads = state.is_primary(node) || self.nodes[node].lead().is_some();
        if budget.downs > 0 && state.is_up(node) {
            // Nobody is judged whose lease is not over: one that does not lead makes no use of it.
            actions.push(if leads && self.nodes[node].lease {
                Action::LeaseOver(node)
            } else {
                Action::Down(node)
            });
        }
        if budget.boots > 0 {
            actions.push(Action::Boot(node));
        }
        if budget.seats > 0 && state.seat(node).is_some() {
            actions.push(Action::Seat(node));
        }
        if state.elect(node).is_some() {
            actions.push(Action::Elect(node));
        }
        if budget.recoveries > 0 && state.recover(node).is_some() {
            actions.push(Action::Recover(node));
        }
    }

    /// Carries an action out. False when it changed nothing.
    pub fn take(&mut self, action: Action) -> bool {
        let changed = match action {
            Action::Append(..) | Action::Remove(..) | Action::Propose(..) | Action::GiveAway(..) => {
                self.take_at_primary(action)
            }
            Action::Send(..)
            | Action::Deliver(..)
            | Action::Answer(..)
            | Action::GiveUp(..)
            | Action::Late(_)
            | Action::LateAnswer(_) => self.take_on_the_way(action),
            _ => self.take_in_the_cluster(action),
        };
        self.acknowledge();
        self.forget();
        changed
    }

    fn take_at_primary(&mut self, action: Action) -> bool {
        match action {
            Action::Append(node, key) => {
                self.budget.appends -= 1;
                self.values += 1;
                self.nodes[node].append(key, Some(self.values));
            }
            Action::Remove(node, key) => {
                self.budget.removals -= 1;
                self.nodes[node].append(key, None);
            }
            Action::Propose(node, patient) => {
                self.budget.impatience -= u8::from(!patient);
                return self.propose(node, if patient { 0 } else { PATIENCE });
            }
            Action::GiveAway(by, to) => {
                self.budget.hand_overs -= 1;
                let life = self.nodes[by].life;
                // To itself: a fence against what was proposed before, for which nothing has to stop.
                let told = if to == by { Some(life) } else { self.life_told(by, to) };
                let Some((copy, to)) = self.nodes[by].copy.as_mut().zip(told) else { return false };
                copy.drained |= to != life;
                let (epoch, version) = (copy.epoch(), copy.lead().map_or(0, |lead| lead.members().version));
                let what = Proposed::HandOver { epoch, version, to };
                self.proposals.push(Proposal { by, life, awaited: true, what });
            }
            _ => unreachable!("not the primary's"),
        }
        true
    }

    fn take_on_the_way(&mut self, action: Action) -> bool {
        match action {
            Action::Send(from, to, room) => {
                let Some(life) = self.life_told(from, to) else { return false };
                let before = self.nodes[from].clone();
                match self.nodes[from].message(life, self.setting.rooms[room]) {
                    Some(message) => {
                        self.flights.insert((from, to), Flight::Sent(message));
                    }
                    None => return self.nodes[from] != before,
                }
            }
            Action::Deliver(from, to, again) => {
                let Some(Flight::Sent(message)) = self.flights.remove(&(from, to)) else { return false };
                let Some(answer) = self.deliver(&message) else { return false };
                if again {
                    self.budget.late -= 1;
                    self.late.push(message);
                }
                self.flights.insert((from, to), Flight::Answered(answer));
            }
            Action::Answer(from, to) => {
                if let Some(Flight::Answered(answer)) = self.flights.remove(&(from, to)) {
                    self.answered(from, answer);
                }
            }
            Action::GiveUp(from, to, late) => {
                self.budget.failures -= 1;
                self.budget.late -= u8::from(late);
                match self.flights.remove(&(from, to)) {
                    Some(Flight::Sent(message)) if late => self.late.push(message),
                    Some(Flight::Answered(answer)) if late => self.late_answers.push((from, answer)),
                    _ => {}
                }
                self.failed(from, to);
            }
            Action::Late(at) => {
                let message = self.late.remove(at);
                self.deliver(&message);
            }
            Action::LateAnswer(at) => {
                let (by, answer) = self.late_answers.remove(at);
                self.answered(by, answer);
            }
            _ => unreachable!("not on the way"),
        }
        true
    }

    fn take_in_the_cluster(&mut self, action: Action) -> bool {
        match action {
            Action::Apply(node, upto) => self.apply(node, upto),
            Action::Arrive(at) => self.arrive(at),
            Action::NoAnswer(at) => {
                self.budget.unknown -= 1;
                self.proposals[at].awaited = false;
                let Proposal { by, what, .. } = self.proposals[at].clone();
                if let Proposed::Sets(change) = what {
                    self.not_changed(by, &change, false);
                }
            }
            Action::LeaseOver(node) => self.nodes[node].lease = false,
            Action::Down(node) => {
                self.budget.downs -= 1;
                self.nodes[node].lease = false;
                self.agree(Some(self.state().down(node)));
            }
            Action::Boot(node) => {
                self.budget.boots -= 1;
                self.boot(node);
            }
            Action::Elect(node) => {
                self.agree(self.state().elect(node));
            }
            Action::Seat(node) => {
                self.budget.seats -= 1;
                self.agree(self.state().seat(node));
            }
            Action::Recover(node) => {
                self.budget.recoveries -= 1;
                self.agree(self.state().recover(node));
            }
            _ => unreachable!("not the cluster's"),
        }
        true
    }
}

impl explore::World for World {
    fn steps(&self) -> Vec<(Step, Self)> {
        let taken = self.actions().into_iter().filter_map(|action| {
            let mut next = self.clone();
            next.take(action).then(|| (named(action), next))
        });
        taken.collect()
    }

    fn wrong(&self) -> Option<String> {
        self.broken().or_else(|| self.setting.settles.then(|| self.clone().settle().err()).flatten())
    }
}

/// An action's name, and its numbers in one: 12 is node 1 and node 2.
pub fn named(action: Action) -> Step {
    let two = |one: usize, other: usize| (one * 10 + other) as u64;
    match action {
        Action::Apply(node, upto) => ("applies", two(node, upto)),
        Action::Append(node, key) => ("appends key", two(node, key as usize)),
        Action::Remove(node, key) => ("removes key", two(node, key as usize)),
        Action::Send(from, to, 0) => ("sends", two(from, to)),
        Action::Send(from, to, _) => ("sends with other room", two(from, to)),
        Action::Deliver(from, to, false) => ("delivered", two(from, to)),
        Action::Deliver(from, to, true) => ("delivered, once of twice", two(from, to)),
        Action::Answer(from, to) => ("answer", two(from, to)),
        Action::GiveUp(from, to, false) => ("lost", two(from, to)),
        Action::GiveUp(from, to, true) => ("given up, but late", two(from, to)),
        Action::Late(at) => ("late message", at as u64),
        Action::LateAnswer(at) => ("late answer", at as u64),
        Action::Propose(node, true) => ("proposes what is due", node as u64),
        Action::Propose(node, false) => ("loses patience", node as u64),
        Action::Arrive(at) => ("proposal arrives", at as u64),
        Action::NoAnswer(at) => ("no answer to proposal", at as u64),
        Action::GiveAway(from, to) => ("gives away", two(from, to)),
        Action::LeaseOver(node) => ("lease is over", node as u64),
        Action::Down(node) => ("is judged dead", node as u64),
        Action::Boot(node) => ("boots", node as u64),
        Action::Elect(node) => ("is elected", node as u64),
        Action::Seat(node) => ("seat given or taken", node as u64),
        Action::Recover(node) => ("goes on from the copy of", node as u64),
    }
}
