//! A hand-over never leaves two nodes serving: every interleaving of asks, answers, retries and observations.
//!
//! ```text
//! source --ask (lost, late, twice)--> log: compare-and-set on the epoch --answer (lost, late)--> source
//!                                      \\--applied, each in its own time--> source, target
//! ```
//! Leases are always valid here: the hand-over alone has to keep the two apart.

mod explore;

use explore::{Step, World, explore};
use predis_replica::{
    Access, Ask, AskOutcome, Effect, HandOver, HandOverConfig, Hold, Life, Local, Ownership, Phase, access,
    may_reply,
};
use predis_types::{Epoch, Incarnation, NodeId, PartitionId};
use std::collections::BTreeSet;

const SOURCE: Life = Life { node: NodeId(1), incarnation: Incarnation(1) };
const TARGET: Life = Life { node: NodeId(2), incarnation: Incarnation(1) };
const CONFIG: HandOverConfig = HandOverConfig { hold_us: 2, retry_us: 1 };
const MOST_STATES: usize = 1_000_000;

fn owner(log: &[Life], applied: usize) -> Ownership {
    let primary = if applied == 0 { SOURCE } else { log[applied - 1] };
    Ownership { primary: Some(primary), epoch: Epoch(1 + applied as u64) }
}

/// What is taken for a certain refusal though it is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Careless {
    Nothing,
    NoAnswer,
    AnotherEpoch,
    OneOfTwo,
}

#[derive(Clone, Hash)]
struct Node {
    identity: Life,
    applied: usize,
    shard: Option<Epoch>,
}

impl Node {
    fn local(&self, hold: Hold) -> Local {
        Local { identity: self.identity, lease_valid: true, hold, shard: self.shard }
    }

    fn apply(&mut self, log: &[Life]) {
        self.applied += 1;
        self.shard = served_in(self.identity, &owner(log, self.applied));
    }
}

#[derive(Clone, Hash)]
struct Moving {
    now: u64,
    /// The primaries that were committed, each with the next epoch.
    log: Vec<Life>,
    source: Node,
    target: Node,
    hand_over: HandOver,
    asks: BTreeSet<(u32, Ask)>,
    answers: BTreeSet<(u32, AskOutcome)>,
    /// Asks the source still expects an answer to.
    expected: BTreeSet<u32>,
    duplicates: u8,
    /// Whether the target is refused now, as one that is leaving would be.
    target_refused: bool,
    changes_of_mind: u8,
    /// Whether an ask has reached the log twice.
    repeated: bool,
    careless: Careless,
    released: u8,
}

impl Moving {
    fn new(careless: Careless) -> Moving {
        let hand_over = HandOver::start(PartitionId(0), Epoch(1), SOURCE.node, TARGET.node, 0, CONFIG);
        Moving {
            now: 0,
            log: Vec::new(),
            source: Node { identity: SOURCE, applied: 0, shard: Some(Epoch(1)) },
            target: Node { identity: TARGET, applied: 0, shard: None },
            hand_over,
            asks: BTreeSet::new(),
            answers: BTreeSet::new(),
            expected: BTreeSet::new(),
            duplicates: 1,
            target_refused: false,
            changes_of_mind: 2,
            repeated: false,
            careless,
            released: 0,
        }
    }

    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask { attempt, ask } => {
                    self.asks.insert((attempt, ask));
                    self.expected.insert(attempt);
                }
                Effect::ReleaseHeld => self.released += 1,
            }
        }
    }

    fn commit(&mut self, ask: Ask) -> AskOutcome {
        let refusal = |certain| if certain { AskOutcome::Refused } else { AskOutcome::Unknown };
        if ask.expected != owner(&self.log, self.log.len()).epoch {
            return refusal(self.careless == Careless::AnotherEpoch);
        }
        if self.target_refused && ask.primary == TARGET.node {
            return refusal(!self.repeated || self.careless == Careless::OneOfTwo);
        }
        self.log.push(if ask.primary == TARGET.node { TARGET } else { SOURCE });
        AskOutcome::Committed
    }

    fn source_access(&self) -> Access {
        let owner = owner(&self.log, self.source.applied);
        access(&self.source.local(self.hand_over.hold(owner.epoch, self.now)), &owner)
    }

    fn source_steps(&self, step: &mut impl FnMut(Step, &dyn Fn(&mut Moving))) {
        if self.now < 3 {
            step(("time", self.now + 1), &|m| {
                m.now += 1;
                let effects = m.hand_over.poll(m.now);
                m.run(effects);
            });
        }
        if self.hand_over.phase() == Phase::Stopped {
            for empty in [false, true] {
                step(("drained, empty", u64::from(empty)), &|m| {
                    let effects = m.hand_over.drained(m.now, empty);
                    m.run(effects);
                });
            }
        }
        for &attempt in &self.expected {
            step(("no answer to ask", u64::from(attempt)), &|m| {
                m.expected.remove(&attempt);
                let careless = m.careless == Careless::NoAnswer;
                let outcome = if careless { AskOutcome::Refused } else { AskOutcome::Unknown };
                let effects = m.hand_over.answered(attempt, outcome, m.now);
                m.run(effects);
            });
        }
        for &(attempt, outcome) in &self.answers {
            step(("answered ask", u64::from(attempt)), &|m| {
                m.answers.remove(&(attempt, outcome));
                m.expected.remove(&attempt);
                let effects = m.hand_over.answered(attempt, outcome, m.now);
                m.run(effects);
            });
        }
        if self.source.applied < self.log.len() {
            step(("source applies", 0), &|m| {
                m.source.apply(&m.log);
                let effects = m.hand_over.observed(owner(&m.log, m.source.applied).epoch);
                m.run(effects);
            });
        }
    }
}

impl World for Moving {
    fn steps(&self) -> Vec<(Step, Self)> {
        let mut steps = Vec::new();
        let mut step = |name: Step, change: &dyn Fn(&mut Moving)| {
            let mut next = self.clone();
            change(&mut next);
            steps.push((name, next));
        };
        self.source_steps(&mut step);
        if self.target.applied < self.log.len() {
            step(("target applies", 0), &|m| m.target.apply(&m.log));
        }
        if self.changes_of_mind > 0 {
            step(("target is refused", u64::from(!self.target_refused)), &|m| {
                m.changes_of_mind -= 1;
                m.target_refused ^= true;
            });
        }
        for &(attempt, ask) in &self.asks {
            for again in [false, true] {
                if again && self.duplicates == 0 {
                    continue;
                }
                step(("ask arrives", u64::from(attempt)), &|m| {
                    m.duplicates -= u8::from(again);
                    m.repeated |= again;
                    if !again {
                        m.asks.remove(&(attempt, ask));
                    }
                    let outcome = m.commit(ask);
                    m.answers.insert((attempt, outcome));
                });
            }
        }
        steps
    }

    fn wrong(&self) -> Option<String> {
        let target = access(&self.target.local(Hold::Open), &owner(&self.log, self.target.applied));
        let source = self.source_access();
        let serves = |access| matches!(access, Access::Serve { .. });
        if serves(source) && serves(target) {
            return Some("both serve".into());
        }
        if source == Access::Moved(TARGET.node) && self.log.is_empty() {
            return Some("MOVED before the commit".into());
        }
        if source == Access::Wait && self.now >= CONFIG.hold_us {
            return Some("a request is held for too long".into());
        }
        (self.released > 1).then(|| "held requests are let go twice".into())
    }
}

#[test]
fn no_interleaving_lets_both_serve() {
    let explored = explore(Moving::new(Careless::Nothing), MOST_STATES);
    println!("{} states", explored.states);
    assert_eq!(explored.counterexample, None);
    assert!(explored.states > 1000);
}

#[test]
fn taking_anything_less_for_a_refusal_is_found() {
    for careless in [Careless::NoAnswer, Careless::AnotherEpoch, Careless::OneOfTwo] {
        let trace = explore(Moving::new(careless), MOST_STATES).counterexample.unwrap();
        assert_eq!(trace.last().unwrap(), "both serve", "{trace:?}");
    }
}

fn start() -> HandOver {
    HandOver::start(PartitionId(3), Epoch(7), NodeId(1), NodeId(2), 100, HandOverConfig::default())
}

fn ask(attempt: u32, primary: u64) -> Vec<Effect> {
    let ask = Ask { partition: PartitionId(3), expected: Epoch(7), primary: NodeId(primary) };
    vec![Effect::Ask { attempt, ask }]
}

#[test]
fn a_hand_over_that_goes_well() {
    let mut h = start();
    assert_eq!(h.hold(Epoch(7), 100), Hold::Wait);
    assert_eq!(h.drained(200, true), ask(1, 2));
    assert_eq!(h.hold(Epoch(7), 50_099), Hold::Wait);
    assert_eq!(h.answered(1, AskOutcome::Committed, 300), [Effect::ReleaseHeld]);
    assert_eq!(h.hold(Epoch(7), 300), Hold::Moved(NodeId(2)));
    assert!(!h.is_finished());
    assert_eq!(h.observed(Epoch(8)), []);
    assert!(h.is_finished() && h.hold(Epoch(8), 400) == Hold::Open);
}

#[test]
fn a_partition_that_is_not_empty_or_not_drained_in_time_stays() {
    let mut h = start();
    assert_eq!(h.drained(200, false), [Effect::ReleaseHeld]);
    assert_eq!((h.phase(), h.hold(Epoch(7), 200)), (Phase::Resumed, Hold::Open));
    let mut h = start();
    assert_eq!(h.next_poll(), Some(50_100));
    assert_eq!(h.poll(50_100), [Effect::ReleaseHeld]);
    assert_eq!((h.phase(), h.drained(50_200, true)), (Phase::Resumed, vec![]));
}

#[test]
fn a_certain_refusal_resumes() {
    let mut h = start();
    h.drained(200, true);
    assert_eq!(h.answered(1, AskOutcome::Refused, 300), [Effect::ReleaseHeld]);
    assert_eq!((h.phase(), h.is_finished()), (Phase::Resumed, true));
}

#[test]
fn an_unknown_outcome_is_asked_again_and_then_fenced_off() {
    let mut h = start();
    h.drained(200, true);
    assert_eq!(h.answered(1, AskOutcome::Unknown, 1000), []);
    assert_eq!(h.poll(50_100), [Effect::ReleaseHeld]);
    assert_eq!(h.hold(Epoch(7), 50_100), Hold::TryAgain);
    assert_eq!(h.observed(Epoch(7)), [], "the same epoch settles nothing");
    assert_eq!(h.poll(201_000), ask(2, 2));
    assert_eq!(h.answered(2, AskOutcome::Refused, 202_000), [], "the first ask may still arrive");
    assert_eq!(h.poll(402_000), ask(3, 1));
    assert_eq!(h.answered(3, AskOutcome::Committed, 403_000), []);
    assert_eq!(h.hold(Epoch(7), 403_000), Hold::TryAgain, "until the new epoch is applied here");
    h.observed(Epoch(8));
    assert_eq!((h.phase(), h.hold(Epoch(8), 404_000)), (Phase::Observed, Hold::Open));
}

#[test]
fn a_reply_is_withheld_once_the_partition_was_given_away() {
    let local = Node { identity: SOURCE, applied: 0, shard: Some(Epoch(1)) };
    let reply = |hold| may_reply(&local.local(hold), &owner(&[], 0), Epoch(1));
    assert!(reply(Hold::Open) && reply(Hold::Wait) && !reply(Hold::Moved(TARGET.node)));
}

/// The epoch that a node serves by a state: only one in which it is the primary.
fn served_in(identity: Life, owner: &Ownership) -> Option<Epoch> {
    (owner.primary == Some(identity)).then_some(owner.epoch)
}
