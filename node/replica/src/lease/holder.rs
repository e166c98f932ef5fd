//! The node's side of its lease: when to renew, and until when it may serve.
//!
//! ```text
//! poll --Renewal{seq}--> leader --Grant{seq}--> granted: until = when seq was SENT + lease
//! ```
//! Knows only its own clock. One `Holder` is one incarnation; a new incarnation is a new `Holder`.

use super::{LeaseConfig, Refusal, Renewal};
use predis_types::planted::{self, Bug};
use predis_types::{Incarnation, NodeId};
use std::collections::BTreeMap;

/// Renewals that are remembered while unanswered; older ones could hardly grant anything any more.
const MOST_UNANSWERED: usize = 64;

/// The lease of one incarnation, as its node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    node: NodeId,
    incarnation: Incarnation,
    config: LeaseConfig,
    next_seq: u64,
    next_poll: u64,
    /// When each unanswered renewal was sent, on this node's clock.
    sent: BTreeMap<u64, u64>,
    until: u64,
    over: Option<Refusal>,
}

impl Holder {
    /// A node that holds nothing yet and asks at its first poll.
    pub fn new(node: NodeId, incarnation: Incarnation, config: LeaseConfig) -> Self {
        Holder {
            node,
            incarnation,
            config,
            next_seq: 1,
            next_poll: 0,
            sent: BTreeMap::new(),
            until: 0,
            over: None,
        }
    }

    /// The node that this lease is for.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The incarnation that this lease is for.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The renewal to send now, if it is time for one. It must be sent at once or dropped: the lease it may
    /// bring runs from `now`.
    pub fn poll(&mut self, now: u64) -> Option<Renewal> {
        if self.over.is_some() || now < self.next_poll {
            return None;
        }
        self.next_poll = now.saturating_add(self.config.renew_every_us);
        let seq = self.next_seq;
        self.next_seq += 1;
        if self.sent.len() == MOST_UNANSWERED {
            self.sent.pop_first();
        }
        self.sent.insert(seq, now);
        Some(Renewal { node: self.node, incarnation: self.incarnation, seq })
    }

    /// When to poll next; `None` when this incarnation is over.
    pub fn next_poll(&self) -> Option<u64> {
        self.over.is_none().then_some(self.next_poll)
    }

    /// Asks again at the next poll, whatever the interval: for when a new leader is known.
    pub fn renew_at_once(&mut self) {
        self.next_poll = 0;
    }

    /// Renewal `seq` was granted for `lease_us`. An answer to a renewal that was not sent, or was answered
    /// already, changes nothing; the shorter of the granted and the configured lease counts.
    pub fn granted(&mut self, seq: u64, now: u64, lease_us: u64) {
        let Some(sent) = self.sent.remove(&seq) else { return };
        if self.over.is_some() {
            return;
        }
        let from = if planted::active(Bug::LeaseFromReceipt) { now } else { sent };
        self.until = self.until.max(from.saturating_add(lease_us.min(self.config.lease_us)));
        // Renewals sent earlier can bring nothing longer.
        self.sent = self.sent.split_off(&seq);
    }

    /// Renewal `seq` was refused. A final refusal ends the lease at once and for good.
    pub fn refused(&mut self, seq: u64, reason: Refusal) {
        if seq == 0 || seq >= self.next_seq {
            return;
        }
        self.sent.remove(&seq);
        if reason.is_final() {
            self.over = Some(reason);
            self.until = 0;
            self.sent.clear();
        }
    }

    /// Whether the node may serve at `now`. To be asked after a command ran and before its reply is queued.
    pub fn valid(&self, now: u64) -> bool {
        if planted::active(Bug::LeaseIgnored) && self.until > 0 {
            return true;
        }
        now < self.until
    }

    /// The moment from which the lease is not valid any more; 0 when there was none.
    pub fn until(&self) -> u64 {
        self.until
    }

    /// Why this incarnation can never hold a lease again, if so: the node has to commit a new one.
    pub fn over(&self) -> Option<Refusal> {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: LeaseConfig = LeaseConfig { lease_us: 100, drift_ppm: 0, renew_every_us: 25 };

    fn holder() -> Holder {
        Holder::new(NodeId(1), Incarnation(3), CONFIG)
    }

    #[test]
    fn the_lease_runs_from_the_sending() {
        let mut h = holder();
        assert!(!h.valid(0));
        let renewal = h.poll(10).unwrap();
        assert_eq!(renewal, Renewal { node: NodeId(1), incarnation: Incarnation(3), seq: 1 });
        assert!(!h.valid(10), "asking grants nothing");
        h.granted(1, 60, 100);
        assert_eq!(h.until(), 110);
        assert!(h.valid(109) && !h.valid(110));
    }

    #[test]
    fn renewals_are_paced_and_can_be_hurried() {
        let mut h = holder();
        assert!(h.poll(0).is_some() && h.poll(24).is_none());
        assert_eq!(h.next_poll(), Some(25));
        assert_eq!(h.poll(25).unwrap().seq, 2);
        h.renew_at_once();
        assert_eq!(h.poll(26).unwrap().seq, 3);
    }

    #[test]
    fn answers_out_of_order_twice_or_invented_never_lengthen() {
        let mut h = holder();
        h.poll(0);
        h.poll(25);
        h.poll(50);
        h.granted(2, 60, 100);
        assert_eq!(h.until(), 125);
        h.granted(1, 70, 100);
        h.granted(2, 80, 100);
        h.granted(9, 80, 100);
        h.granted(0, 80, 100);
        assert_eq!(h.until(), 125);
        h.granted(3, 90, 40);
        assert_eq!(h.until(), 125, "a shorter grant does not cut a lease that holds");
        h.poll(100);
        h.granted(4, 100, u64::MAX);
        assert_eq!(h.until(), 200, "nor does a longer one exceed what was configured");
    }

    #[test]
    fn a_final_refusal_ends_it_and_a_passing_one_does_not() {
        let mut h = holder();
        h.poll(0);
        h.granted(1, 1, 100);
        h.poll(25);
        h.refused(2, Refusal::NotLeader);
        h.poll(50);
        h.refused(3, Refusal::Unknown);
        assert!(h.valid(99) && h.over().is_none());
        h.refused(77, Refusal::Judged);
        assert!(h.valid(99), "an answer to nothing that was asked");
        h.poll(75);
        h.refused(4, Refusal::OldIncarnation);
        assert!(!h.valid(76));
        assert_eq!((h.over(), h.next_poll()), (Some(Refusal::OldIncarnation), None));
        h.granted(3, 77, 100);
        assert!(!h.valid(78) && h.poll(1000).is_none());
    }

    #[test]
    fn unanswered_renewals_are_bounded() {
        let mut h = holder();
        for i in 0..10 * MOST_UNANSWERED as u64 {
            h.poll(i * 25);
        }
        assert_eq!(h.sent.len(), MOST_UNANSWERED);
    }
}
