//! What becomes of the gRPC calls that a node makes of others: some come twice, late, or are never answered.

use crate::oracle::{Oracle, lock};
use predis_raft::{Courier, Fate};
use predis_types::{Rng, SplitMix64};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How likely a call is to meet with each, in a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// It is sent twice, the second time up to 400 ms after the first.
    pub twice: u64,
    /// It is held back by up to 80 ms, so that later ones overtake it.
    pub late: u64,
    /// Its answer is lost.
    pub unanswered: u64,
}

/// Calls that are commands, not messages of a protocol that expects them twice: nothing between two members that
/// talk over TCP repeats those.
const ONCE: &[&str] = &["Propose", "Join"];

/// The courier of one node.
pub(super) struct SimCourier {
    node: u64,
    oracle: Arc<Mutex<Oracle>>,
    state: Mutex<State>,
}

struct State {
    rng: SplitMix64,
    odds: Odds,
    // Until when the calls held back last are, by address.
    held_until: BTreeMap<String, Duration>,
}

impl SimCourier {
    /// The courier of a node; all is well at first.
    pub(super) fn new(node: u64, seed: u64, oracle: Arc<Mutex<Oracle>>) -> SimCourier {
        let state = State { rng: SplitMix64::new(seed), odds: Odds::default(), held_until: BTreeMap::new() };
        SimCourier { node, oracle, state: Mutex::new(state) }
    }

    /// Sets the odds for calls from now on.
    pub(super) fn set(&self, odds: Odds) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).odds = odds;
    }
}

impl Courier for SimCourier {
    fn fate(&self, addr: &str, method: &str) -> Fate {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.odds == Odds::default() {
            return Fate::default();
        }
        let mut oracle = lock(&self.oracle);
        let now = oracle.now();
        let (odds, name) = (state.odds, method.rsplit('/').next().unwrap_or(method));
        let mut met = |odds| state.rng.below(1000) < odds;
        let (twice, late, unanswered) = (met(odds.twice), met(odds.late), met(odds.unanswered));
        let mut fate = Fate::default();
        let mut note = |kind| oracle.fault(now, format!("{kind} {name} from {} to {addr}", self.node));
        if twice && !ONCE.contains(&name) {
            fate.again = Some(Duration::from_millis(state.rng.below(400)));
            note("duplicate");
        }
        if late {
            fate.late = Duration::from_millis(1 + state.rng.below(80));
            let until = now + fate.late;
            state
                .held_until
                .entry(addr.to_owned())
                .and_modify(|held| *held = until.max(*held))
                .or_insert(until);
        } else if state.held_until.remove(addr).is_some_and(|held| held > now) {
            note("reorder");
        }
        if unanswered {
            fate.unanswered = true;
            note("lost-answer");
        }
        fate
    }
}
