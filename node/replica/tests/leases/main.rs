//! At no moment may two nodes serve one partition: every interleaving of a small cluster, with real leases.
//!
//! ```text
//! node A (primary, slow or fast clock) --renewals, lost, late, twice--> leader 1, replaced at any moment by leader 2
//! node B: takes over as soon as it has applied that it may; its own lease is taken to be always valid,
//!         which allows everything that a real one would
//! ```
//! Raft is modelled by what it promises: one log, a majority round or a commit succeeds only for the leader of
//! the latest term. Everything about leases and about what a node may do is the real code.

mod cases;
#[path = "../explore/mod.rs"]
mod explore;

use explore::{Step, World};
use predis_replica::{
    Access, Answer, Grantor, Hold, Holder, LeaseConfig, Life, Local, Ownership, Renewal, Ticket, access,
};
use predis_types::{Epoch, Incarnation, NodeId};
use std::collections::BTreeSet;

const A: NodeId = NodeId(1);
const B: NodeId = NodeId(2);

/// What is made wrong on purpose, besides planted bugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mutation {
    None,
    /// Clocks differ by more than the configuration says.
    DriftBeyondBound,
    /// A new leader judges as if it had been leading for long.
    NoWaitingTime,
    /// A leader grants without asking a majority whether it still leads.
    NoMajorityRound,
    /// A node that was judged dead is granted leases in the same incarnation.
    JudgedGranted,
}

/// Clock ticks of each machine for one tick of real time, and how much there is to explore.
#[derive(Clone, Copy, Debug, Hash)]
struct Bounds {
    rate_a: u64,
    rate_leaders: [u64; 2],
    lease_us: u64,
    ticks: u64,
    renewals: u64,
    duplicates: u8,
    crashes: u8,
    mutation: Mutation,
}

impl Bounds {
    fn config(&self) -> LeaseConfig {
        let drift_ppm = if self.mutation == Mutation::DriftBeyondBound { 0 } else { 500_000 };
        LeaseConfig { lease_us: self.lease_us, drift_ppm, renew_every_us: 2 }
    }
}

/// One entry of the agreed log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Entry {
    Down(Incarnation),
    Boot(Incarnation),
}

/// The agreed state after a prefix of the log: who is primary, and A's incarnation and whether it is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Agreed {
    owner: Ownership,
    incarnation: Incarnation,
    up: bool,
}

fn agreed(log: &[Entry]) -> Agreed {
    let a = Life { node: A, incarnation: Incarnation(1) };
    let b = Life { node: B, incarnation: Incarnation(1) };
    let mut state = Agreed {
        owner: Ownership { primary: Some(a), epoch: Epoch(1) },
        incarnation: Incarnation(1),
        up: true,
    };
    for &entry in log {
        let (incarnation, up) = match entry {
            Entry::Down(incarnation) => (incarnation, false),
            Entry::Boot(incarnation) => (incarnation, true),
        };
        (state.incarnation, state.up) = (incarnation, up);
        if state.owner.primary.is_some_and(|primary| primary.node == A) {
            state.owner = Ownership { primary: Some(b), epoch: Epoch(state.owner.epoch.0 + 1) };
        }
    }
    state
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Renewal { leader: usize, renewal: Renewal },
    Granted { incarnation: Incarnation, seq: u64, lease_us: u64 },
}

impl Message {
    fn arrives(&self) -> Step {
        match self {
            Message::Renewal { leader, .. } => ("a renewal arrives at leader", *leader as u64 + 1),
            Message::Granted { seq, .. } => ("a grant arrives at A for renewal", *seq),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Leader {
    grantor: Grantor,
    /// Renewals whose majority round is under way, and whether the majority has answered.
    rounds: BTreeSet<(Ticket, bool)>,
    proposes_down: Option<Incarnation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    identity: Life,
    applied: usize,
    shard: Option<Epoch>,
}

impl Node {
    fn local(&self, lease_valid: bool) -> Local {
        Local { identity: self.identity, lease_valid, hold: Hold::Open, shard: self.shard }
    }

    fn apply(&mut self, log: &[Entry]) {
        self.applied += 1;
        let owner = agreed(&log[..self.applied]).owner;
        self.shard = served_in(self.identity, &owner);
    }

    fn serves(&self, log: &[Entry], lease_valid: bool) -> bool {
        let owner = agreed(&log[..self.applied]).owner;
        matches!(access(&self.local(lease_valid), &owner), Access::Serve { .. })
    }
}

#[derive(Clone, Hash)]
struct Cluster {
    bounds: Bounds,
    real: u64,
    log: Vec<Entry>,
    leaders: Vec<Leader>,
    a: Node,
    /// A's lease; `None` while A is down.
    holder: Option<Holder>,
    b: Node,
    net: BTreeSet<Message>,
    duplicates: u8,
    crashes: u8,
}

impl Cluster {
    fn new(bounds: Bounds) -> Cluster {
        let identity = |node| Life { node, incarnation: Incarnation(1) };
        let mut cluster = Cluster {
            bounds,
            real: 0,
            log: Vec::new(),
            leaders: Vec::new(),
            a: Node { identity: identity(A), applied: 0, shard: Some(Epoch(1)) },
            holder: Some(Holder::new(A, Incarnation(1), bounds.config())),
            b: Node { identity: identity(B), applied: 0, shard: None },
            net: BTreeSet::new(),
            duplicates: bounds.duplicates,
            crashes: bounds.crashes,
        };
        cluster.elect();
        cluster
    }

    /// Every machine's clock begins at another number: nothing may compare two of them.
    fn a_now(&self) -> u64 {
        500 + self.real * self.bounds.rate_a
    }

    fn leader_now(&self, leader: usize) -> u64 {
        100 * (leader as u64 + 1) + self.real * self.bounds.rate_leaders[leader]
    }

    fn elect(&mut self) {
        let leader = self.leaders.len();
        let now = self.leader_now(leader);
        let config = self.bounds.config();
        let early = if self.bounds.mutation == Mutation::NoWaitingTime { config.wait_us() } else { 0 };
        let mut grantor = Grantor::new(leader as u64 + 1, now - early, config);
        let state = agreed(&self.log);
        grantor.observe(A, state.incarnation, state.up, now - early);
        if self.bounds.mutation != Mutation::NoMajorityRound {
            // What cannot be confirmed any more can change nothing.
            self.leaders.iter_mut().for_each(|old| old.rounds.retain(|&(_, confirmed)| confirmed));
            self.net.retain(|message| !matches!(message, Message::Renewal { .. }));
        }
        self.leaders.push(Leader { grantor, rounds: BTreeSet::new(), proposes_down: None });
    }

    fn leads(&self, leader: usize) -> bool {
        leader + 1 == self.leaders.len()
    }

    /// Appends to the log, and the leader applies what it commits.
    fn commit(&mut self, entry: Entry) {
        self.log.push(entry);
        let state = agreed(&self.log);
        let leader = self.leaders.len() - 1;
        let now = self.leader_now(leader);
        if self.bounds.mutation != Mutation::JudgedGranted || state.up {
            self.leaders[leader].grantor.observe(A, state.incarnation, state.up, now);
        }
    }

    fn deliver(&mut self, message: Message) {
        match message {
            Message::Renewal { leader, renewal } => {
                let now = self.leader_now(leader);
                if let Ok(ticket) = self.leaders[leader].grantor.renewal_arrived(renewal, now) {
                    let unasked = self.bounds.mutation == Mutation::NoMajorityRound;
                    self.leaders[leader].rounds.insert((ticket, unasked));
                }
            }
            Message::Granted { incarnation, seq, lease_us } => {
                let now = self.a_now();
                if let Some(holder) = self.holder.as_mut().filter(|h| h.incarnation() == incarnation) {
                    holder.granted(seq, now, lease_us);
                }
            }
        }
    }

    fn time_and_node_steps(&self, step: &mut impl FnMut(Step, &dyn Fn(&mut Cluster))) {
        if self.real < self.bounds.ticks {
            step(("time", self.real + 1), &|c| c.real += 1);
        }
        let now = self.a_now();
        let polled = self.holder.clone().and_then(|mut holder| Some((holder.poll(now)?, holder)));
        if let Some((renewal, holder)) = polled.filter(|(renewal, _)| renewal.seq <= self.bounds.renewals) {
            step(("A sends", renewal.seq), &|c| {
                c.holder = Some(holder.clone());
                // To the leader; or to one that was replaced, if that could be of any use to it.
                let every = c.bounds.mutation == Mutation::NoMajorityRound;
                let first = if every { 0 } else { c.leaders.len() - 1 };
                let leaders = first..c.leaders.len();
                c.net.extend(leaders.map(|leader| Message::Renewal { leader, renewal }));
            });
        }
        if self.holder.is_some() && self.a.applied < self.log.len() {
            step(("A applies", 0), &|c| c.a.apply(&c.log));
        }
        if self.b.applied < self.log.len() {
            step(("B applies", 0), &|c| c.b.apply(&c.log));
        }
        if self.holder.is_some() && self.crashes > 0 {
            step(("A crashes", 0), &|c| {
                c.crashes -= 1;
                (c.holder, c.a.shard) = (None, None);
            });
        }
        if self.holder.is_none() {
            step(("A boots", 0), &|c| {
                let incarnation = Incarnation(agreed(&c.log).incarnation.0 + 1);
                c.commit(Entry::Boot(incarnation));
                c.a.identity.incarnation = incarnation;
                while c.a.applied < c.log.len() {
                    c.a.apply(&c.log);
                }
                c.holder = Some(Holder::new(A, incarnation, c.bounds.config()));
            });
        }
    }

    fn leader_steps(&self, at: usize, step: &mut impl FnMut(Step, &dyn Fn(&mut Cluster))) {
        let leader = &self.leaders[at];
        for &(ticket, confirmed) in &leader.rounds {
            if !confirmed && self.leads(at) {
                step(("a majority follows leader", at as u64 + 1), &|c| {
                    c.leaders[at].rounds.remove(&(ticket, false));
                    c.leaders[at].rounds.insert((ticket, true));
                });
            }
            if confirmed {
                step(("an answer by leader", at as u64 + 1), &|c| {
                    c.leaders[at].rounds.remove(&(ticket, true));
                    let now = c.leader_now(at);
                    let Answer::Granted(grant) = c.leaders[at].grantor.majority_confirmed(ticket, now) else {
                        return;
                    };
                    let Renewal { incarnation, seq, .. } = grant.renewal;
                    c.net.insert(Message::Granted { incarnation, seq, lease_us: grant.lease_us });
                });
            }
        }
        let mut judged = leader.grantor.clone();
        if let Some(&(_, incarnation)) = judged.overdue(self.leader_now(at)).first()
            && leader.proposes_down.is_none()
        {
            step(("A is judged by leader", at as u64 + 1), &|c| {
                if c.bounds.mutation != Mutation::JudgedGranted {
                    c.leaders[at].grantor = judged.clone();
                }
                c.leaders[at].proposes_down = Some(incarnation);
            });
        }
        if let Some(incarnation) = leader.proposes_down.filter(|_| self.leads(at)) {
            step(("A is down, commits leader", at as u64 + 1), &|c| {
                c.leaders[at].proposes_down = None;
                let state = agreed(&c.log);
                if state.up && state.incarnation == incarnation {
                    c.commit(Entry::Down(incarnation));
                }
            });
        }
    }
}

impl World for Cluster {
    fn steps(&self) -> Vec<(Step, Self)> {
        let mut steps = Vec::new();
        let mut step = |name: Step, change: &dyn Fn(&mut Cluster)| {
            let mut next = self.clone();
            change(&mut next);
            steps.push((name, next));
        };
        self.time_and_node_steps(&mut step);
        if self.leaders.len() == 1 {
            step(("leader 2 is elected", 0), &|c| c.elect());
        }
        (0..self.leaders.len()).for_each(|at| self.leader_steps(at, &mut step));
        // A message that is never delivered is lost; one that stays behind when it is, arrives twice.
        for &message in &self.net {
            step(message.arrives(), &|c| {
                c.net.remove(&message);
                c.deliver(message);
            });
            if self.duplicates > 0 {
                step(message.arrives(), &|c| {
                    c.duplicates -= 1;
                    c.deliver(message);
                });
            }
        }
        steps
    }

    fn wrong(&self) -> Option<String> {
        let valid = self.holder.as_ref().is_some_and(|holder| holder.valid(self.a_now()));
        let both = self.a.serves(&self.log, valid) && self.b.serves(&self.log, true);
        both.then(|| format!("A and B both serve at time {}", self.real))
    }
}

/// The epoch that a node serves by a state: only one in which it is the primary.
fn served_in(identity: Life, owner: &Ownership) -> Option<Epoch> {
    (owner.primary == Some(identity)).then_some(owner.epoch)
}
