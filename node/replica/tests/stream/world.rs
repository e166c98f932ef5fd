//! A small cluster around one partition: nodes, what they agree on, what is on its way; and what can happen next.
//!
//! ```text
//! Agreed, Agreed, ...  <--arrives-- Proposal     every node applies the log in its own time, and may skip states
//! Node --sends--> Flight::Sent --delivered--> Flight::Answered --answer--> Node
//!                       \--given up: lost, or late (in `late`, until it arrives)
//! ```

use super::agreed::Agreed;
use super::node::{Change, Copy, Message, Mutation, Node};
use predis_replica::{Ack, Life, SetChange, StreamConfig};
use predis_types::Epoch;
use std::collections::BTreeMap;

/// What a replica may owe for long, and when it is so long.
pub const PATIENCE: u64 = 10;
/// When what was proposed is proposed again.
pub const RETRY: u64 = 5;

/// How often what may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    pub appends: u8,
    pub removals: u8,
    /// Calls that the primary gives up.
    pub failures: u8,
    /// Messages and answers that arrive after that, or twice.
    pub late: u8,
    /// Times that whoever owes something is taken for dead.
    pub impatience: u8,
    /// Proposals of which it is not known what they came to.
    pub unknown: u8,
    pub downs: u8,
    pub boots: u8,
    pub seats: u8,
    pub hand_overs: u8,
    pub recoveries: u8,
}

/// What does not change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Setting {
    pub stream: StreamConfig,
    pub keys: u64,
    /// How many entries and keys of a page are told at once.
    pub rooms: Vec<(usize, usize)>,
    /// Whether every state has to come right once nothing more goes wrong.
    pub settles: bool,
    pub mutation: Mutation,
}

/// What a life of a node answered to one of a primary's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    pub of: Life,
    pub epoch: Epoch,
    pub ack: Ack,
}

/// A call as its primary sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Flight {
    Sent(Message),
    Answered(Answer),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Proposed {
    Sets(SetChange),
    HandOver { epoch: Epoch, version: u64, to: Life },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proposal {
    pub by: usize,
    pub life: Life,
    /// Whether its primary still waits for what it comes to.
    pub awaited: bool,
    pub what: Proposed,
}

/// What can happen. Numbers are nodes, or places in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Apply(usize, usize),
    Append(usize, u64),
    Remove(usize, u64),
    Send(usize, usize, usize),
    Deliver(usize, usize, bool),
    Answer(usize, usize),
    GiveUp(usize, usize, bool),
    Late(usize),
    LateAnswer(usize),
    Propose(usize, bool),
    Arrive(usize),
    NoAnswer(usize),
    GiveAway(usize, usize),
    LeaseOver(usize),
    Down(usize),
    Boot(usize),
    Elect(usize),
    Seat(usize),
    Recover(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub setting: Setting,
    pub budget: Budget,
    pub agreed: Vec<Agreed>,
    pub nodes: Vec<Node>,
    pub flights: BTreeMap<(usize, usize), Flight>,
    pub late: Vec<Message>,
    /// And to which node.
    pub late_answers: Vec<(usize, Answer)>,
    pub proposals: Vec<Proposal>,
    /// What was acknowledged since the partition last began anew, in order.
    pub acknowledged: Vec<Change>,
    pub values: u64,
    /// What went wrong on the way here.
    pub fault: Option<&'static str>,
}

impl World {
    /// Node 0 is the primary of a partition that has just begun; everybody has applied that.
    pub fn new(nodes: usize, setting: Setting) -> World {
        let never = Agreed::new(nodes);
        let mut world = World {
            setting,
            budget: Budget::default(),
            nodes: (0..nodes)
                .map(|node| Node { life: never.life(node), applied: 0, copy: None, lease: true })
                .collect(),
            agreed: vec![never.elect(0).unwrap_or(never)],
            flights: BTreeMap::new(),
            late: Vec::new(),
            late_answers: Vec::new(),
            proposals: Vec::new(),
            acknowledged: Vec::new(),
            values: 0,
            fault: None,
        };
        (0..nodes).for_each(|node| world.apply(node, 0));
        world
    }

    pub fn state(&self) -> &Agreed {
        &self.agreed[self.agreed.len() - 1]
    }

    /// Agrees on a state.
    pub fn agree(&mut self, state: Option<Agreed>) -> bool {
        let Some(state) = state else { return false };
        if state.lost > self.state().lost {
            self.acknowledged.clear();
        }
        self.agreed.push(state);
        true
    }

    pub fn node_of(&self, life: Life) -> usize {
        life.node.0 as usize
    }

    pub fn apply(&mut self, node: usize, upto: usize) {
        let before = self.epoch(node);
        let heard = self.agreed[self.nodes[node].applied].in_sync.contains(&self.nodes[node].life);
        let Setting { mutation, stream, .. } = self.setting;
        self.nodes[node].applied = upto;
        self.nodes[node].apply(&self.agreed[upto], heard, mutation, stream);
        if self.epoch(node) != before {
            self.flights.retain(|(from, _), _| *from != node);
        }
    }

    /// The epoch of a node's copy.
    fn epoch(&self, node: usize) -> Option<Epoch> {
        self.nodes[node].copy.as_ref().map(|copy| copy.epoch())
    }

    /// A node's process ends, and a new life of it begins, which knows what is agreed.
    pub fn boot(&mut self, node: usize) {
        let state = self.state().boot(node);
        let life = state.life(node);
        self.agree(Some(state));
        self.flights.retain(|(from, _), _| *from != node);
        self.proposals.retain_mut(|proposal| {
            proposal.awaited &= proposal.by != node;
            true
        });
        let applied = self.agreed.len() - 1;
        self.nodes[node] = Node { life, applied, copy: None, lease: true };
        self.apply(node, applied);
    }

    pub fn deliver(&mut self, message: &Message) -> Option<Answer> {
        let to = self.node_of(message.to);
        if !self.nodes[to].hears(message, self.setting.mutation) {
            return None;
        }
        let (ack, began_empty) = self.nodes[to].hear(message, self.setting.mutation)?;
        let lost = self.nodes[to].copy.as_ref().map(|copy| copy.lost);
        if began_empty && lost == Some(self.state().lost) && self.state().in_sync.contains(&message.to) {
            self.fault = Some("one that is in sync is told to begin empty");
        }
        Some(Answer { of: message.to, epoch: message.part.epoch, ack })
    }

    pub fn answered(&mut self, by: usize, answer: Answer) {
        let Answer { of, epoch, mut ack } = answer;
        let late_too = self.setting.mutation == Mutation::LateAnswered;
        let Some(lead) = self.nodes[by].lead_mut().filter(|lead| lead.epoch() == epoch) else { return };
        if let Some(part) = lead.clone().part(of, 1).filter(|_| late_too) {
            ack.session = part.session;
        }
        lead.answered(of, ack, 0);
    }

    /// The life of a node as another one knows it that tells it something.
    pub fn life_told(&self, from: usize, to: usize) -> Option<Life> {
        self.nodes[from].lead()?.followers().find(|life| self.node_of(*life) == to)
    }

    pub fn failed(&mut self, from: usize, to: usize) {
        let life = self.life_told(from, to);
        if let Some((life, lead)) = life.zip(self.nodes[from].lead_mut()) {
            lead.failed(life, 0);
        }
    }

    /// What is due of the in-sync set at a time is proposed.
    pub fn propose(&mut self, by: usize, now: u64) -> bool {
        let life = self.nodes[by].life;
        let Some(change) = self.nodes[by].lead_mut().and_then(|lead| lead.change(now)) else { return false };
        self.proposals.push(Proposal { by, life, awaited: true, what: Proposed::Sets(change) });
        true
    }

    /// A proposal arrives.
    pub fn arrive(&mut self, at: usize) {
        let Proposal { by, life, awaited, what } = self.proposals.remove(at);
        let state = self.state();
        let next = match &what {
            Proposed::Sets(change) => state.change_in_sync(change),
            Proposed::HandOver { epoch, version, to } => state.hand_over((*epoch, *version), *to),
        };
        if self.agree(next) || !awaited || self.nodes[by].life != life {
            return;
        }
        match what {
            Proposed::Sets(change) => self.not_changed(by, &change, true),
            Proposed::HandOver { epoch, .. } => self.resume(by, epoch),
        }
    }

    pub fn not_changed(&mut self, by: usize, change: &SetChange, certain: bool) {
        let told = certain || self.setting.mutation != Mutation::OutcomeNotTold;
        if let Some(lead) = self.nodes[by].lead_mut().filter(|_| told) {
            lead.not_changed(change.epoch, change.version, certain, 0);
        }
    }

    /// A primary that was refused goes on, unless something else that it asked for was done, or may be.
    fn resume(&mut self, by: usize, epoch: Epoch) {
        let asks =
            |proposal: &Proposal| proposal.by == by && matches!(proposal.what, Proposed::HandOver { .. });
        if self.state().owner.epoch != epoch || self.proposals.iter().any(asks) {
            return;
        }
        if let Some(copy) = self.nodes[by].copy.as_mut().filter(|copy| copy.epoch() == epoch) {
            copy.drained = false;
        }
    }

    /// Whoever leads and has a lease acknowledges what it takes for committed; one that has stopped already did.
    pub fn acknowledge(&mut self) {
        for node in &self.nodes {
            let serves = |copy: &&Copy| node.lease && copy.lead().is_some() && !copy.drained;
            let Some(copy) = node.copy.as_ref().filter(serves) else { continue };
            let (settled, known) = (copy.settled(), self.acknowledged.len());
            if copy.lost != self.state().lost {
                self.fault = Some("a primary of before the partition was lost acknowledges");
            } else if settled.iter().zip(&self.acknowledged).any(|(one, other)| one != other) {
                self.fault = Some("two primaries acknowledge different things");
            } else {
                self.acknowledged.extend(settled.iter().skip(known));
            }
        }
    }

    /// Forgets what can make no difference any more.
    pub fn forget(&mut self) {
        let nodes = &self.nodes;
        self.late.retain(|message| {
            let to = &nodes[message.to.node.0 as usize];
            let known = self.agreed[to.applied].owner.epoch;
            to.life == message.to && known <= message.part.epoch
        });
        self.late_answers
            .retain(|(by, answer)| nodes[*by].lead().is_some_and(|lead| lead.epoch() == answer.epoch));
        let state = &self.agreed[self.agreed.len() - 1];
        self.proposals.retain(|proposal| {
            let seen = match &proposal.what {
                Proposed::Sets(change) => (change.epoch, change.version),
                Proposed::HandOver { epoch, version, .. } => (*epoch, *version),
            };
            proposal.awaited || seen == (state.owner.epoch, state.version)
        });
    }
}
