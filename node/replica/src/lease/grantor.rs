//! The leader's side of every lease: who gets one, and who has certainly lost it.
//!
//! ```text
//! renewal_arrived -> Ticket -> (the caller runs a majority round that begins now) -> majority_confirmed -> Grant
//! overdue(now): nobody before the end of the waiting time; then whoever's last lease has surely run out
//! ```
//! One `Grantor` is one term of leadership. Knows members only as the caller tells it from the applied state,
//! and no partitions: what a dead node's partitions become is decided elsewhere.

use super::{LeaseConfig, Refusal, Renewal};
use predis_types::{Incarnation, NodeId};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A renewal that waits for its majority round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    renewal: Renewal,
    term: u64,
    arrived: u64,
}

impl Ticket {
    /// The renewal it is for.
    pub fn renewal(&self) -> Renewal {
        self.renewal
    }
}

/// A lease to be told to its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// The renewal that it answers.
    pub renewal: Renewal,
    /// How long it lasts from the sending of that renewal, in microseconds of the holder's clock.
    pub lease_us: u64,
}

/// What a renewal is answered with once its majority round is through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The lease is granted.
    Granted(Grant),
    /// It is not.
    Refused(Refusal),
}

/// What the grantor knows of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The incarnation that the agreed state has.
    pub incarnation: Incarnation,
    /// Whether the agreed state holds this incarnation to be alive.
    pub up: bool,
    /// When the renewal that was granted last had arrived; before the first, when the incarnation was first
    /// observed in this term.
    pub heard: u64,
    /// Whether this grantor has named the incarnation as overdue.
    pub judged: bool,
}

/// The leases of one term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grantor {
    term: u64,
    config: LeaseConfig,
    judges_from: u64,
    members: BTreeMap<NodeId, Standing>,
}

impl Grantor {
    /// The grantor of a term whose leader was elected at or before `now`. It judges nobody until
    /// lease x (1 + drift) later, because it cannot know what the leaders before it granted.
    pub fn new(term: u64, now: u64, config: LeaseConfig) -> Self {
        let judges_from = now.saturating_add(config.wait_us());
        Grantor { term, config, judges_from, members: BTreeMap::new() }
    }

    /// The term it grants for.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// From when on it judges.
    pub fn judges_from(&self) -> u64 {
        self.judges_from
    }

    /// Tells what the applied state says of a member: its incarnation, and whether it is up. Call it for every
    /// member before the first renewal is taken, and again with every change. A later incarnation begins
    /// anew and is given the time of one lease to ask for its first; an earlier one than already known is
    /// ignored; one that was observed as not up stays so.
    pub fn observe(&mut self, node: NodeId, incarnation: Incarnation, up: bool, now: u64) {
        let fresh = Standing { incarnation, up, heard: now, judged: false };
        let known = self.members.entry(node).or_insert(fresh);
        match incarnation.cmp(&known.incarnation) {
            Ordering::Less => {}
            Ordering::Equal => known.up &= up,
            Ordering::Greater => *known = fresh,
        }
    }

    /// This leader itself stood still until `now`: renewals may have arrived that it has not taken yet, so it
    /// judges nobody for the time of one lease. Whom it judged before stays judged.
    pub fn stood_still(&mut self, now: u64) {
        self.judges_from = self.judges_from.max(now.saturating_add(self.config.wait_us()));
    }

    /// Whoever is not a member any more: nothing is granted to it and it is not judged.
    pub fn forget_all_but(&mut self, is_member: impl Fn(NodeId) -> bool) {
        self.members.retain(|node, _| is_member(*node));
    }

    /// A renewal arrived. The caller now *begins* a majority round (one that was already under way does not
    /// count), and hands the ticket to [`Grantor::majority_confirmed`] when it succeeded and the local state
    /// has applied, and `observe` was told, everything committed when the round began.
    ///
    /// # Errors
    /// The refusal to answer with, when no round could change it.
    pub fn renewal_arrived(&self, renewal: Renewal, now: u64) -> Result<Ticket, Refusal> {
        self.check(renewal)?;
        Ok(Ticket { renewal, term: self.term, arrived: now })
    }

    /// A majority confirmed, in a round that began after the ticket was made, that this leader leads.
    pub fn majority_confirmed(&mut self, ticket: Ticket, _now: u64) -> Answer {
        if ticket.term != self.term {
            return Answer::Refused(Refusal::NotLeader);
        }
        if let Err(refusal) = self.check(ticket.renewal) {
            return Answer::Refused(refusal);
        }
        if let Some(member) = self.members.get_mut(&ticket.renewal.node) {
            // The renewal was sent before it arrived, so its lease ends within the wait after the arrival.
            member.heard = member.heard.max(ticket.arrived);
        }
        Answer::Granted(Grant { renewal: ticket.renewal, lease_us: self.config.lease_us })
    }

    /// The incarnations whose last possible lease has certainly run out, ascending by node. From this call on
    /// they are refused for good, so what is committed about them next cannot cross a new grant. They are
    /// named again by every call until they are forgotten, observed as not up, or have a new incarnation; the
    /// caller retries its commit as often. Take renewals that have already arrived before asking.
    pub fn overdue(&mut self, now: u64) -> Vec<(NodeId, Incarnation)> {
        if now < self.judges_from {
            return Vec::new();
        }
        let wait_us = self.config.wait_us();
        let mut overdue = Vec::new();
        for (&node, member) in &mut self.members {
            if member.up && now >= member.heard.saturating_add(wait_us) {
                member.judged = true;
                overdue.push((node, member.incarnation));
            }
        }
        overdue
    }

    /// What is known of a member.
    pub fn standing(&self, node: NodeId) -> Option<Standing> {
        self.members.get(&node).copied()
    }

    fn check(&self, renewal: Renewal) -> Result<(), Refusal> {
        let member = self.members.get(&renewal.node).ok_or(Refusal::Unknown)?;
        match renewal.incarnation.cmp(&member.incarnation) {
            Ordering::Less => Err(Refusal::OldIncarnation),
            Ordering::Greater => Err(Refusal::Unknown),
            Ordering::Equal if member.judged || !member.up => Err(Refusal::Judged),
            Ordering::Equal => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: LeaseConfig = LeaseConfig { lease_us: 100, drift_ppm: 100_000, renew_every_us: 25 };
    const N: NodeId = NodeId(1);

    fn renewal(incarnation: u64, seq: u64) -> Renewal {
        Renewal { node: N, incarnation: Incarnation(incarnation), seq }
    }

    /// A grantor that has known node 1, incarnation 5, since time 0.
    fn grantor() -> Grantor {
        let mut g = Grantor::new(2, 0, CONFIG);
        g.observe(N, Incarnation(5), true, 0);
        g
    }

    fn grant(g: &mut Grantor, seq: u64, arrived: u64) -> Answer {
        let ticket = g.renewal_arrived(renewal(5, seq), arrived).unwrap();
        g.majority_confirmed(ticket, arrived + 3)
    }

    #[test]
    fn a_new_leader_judges_nobody_before_the_waiting_time_is_over() {
        let mut g = grantor();
        assert_eq!(g.judges_from(), 110);
        assert_eq!(g.overdue(109), []);
        assert_eq!(g.overdue(110), [(N, Incarnation(5))], "never heard of");
        assert_eq!(g.overdue(111), [(N, Incarnation(5))], "named until the state says so");
        g.observe(N, Incarnation(5), false, 112);
        assert_eq!(g.overdue(500), [], "already known to be down");
    }

    #[test]
    fn a_granted_lease_is_waited_for_from_the_renewals_arrival() {
        let mut g = grantor();
        let answer = grant(&mut g, 1, 200);
        assert_eq!(answer, Answer::Granted(Grant { renewal: renewal(5, 1), lease_us: 100 }));
        assert_eq!(g.overdue(309), []);
        assert_eq!(g.overdue(310), [(N, Incarnation(5))]);
    }

    #[test]
    fn a_leader_that_stood_still_gives_everyone_another_lease() {
        let mut g = grantor();
        grant(&mut g, 1, 200);
        g.stood_still(400);
        assert_eq!(g.overdue(509), [], "renewals of the meantime may wait to be taken");
        assert_eq!(g.overdue(510), [(N, Incarnation(5))]);
        g.stood_still(600);
        assert_eq!(
            g.renewal_arrived(renewal(5, 2), 610),
            Err(Refusal::Judged),
            "whoever was judged stays so"
        );
    }

    #[test]
    fn an_earlier_ticket_confirmed_late_does_not_take_time_back() {
        let mut g = grantor();
        let early = g.renewal_arrived(renewal(5, 1), 50).unwrap();
        grant(&mut g, 2, 200);
        g.majority_confirmed(early, 210);
        assert_eq!(g.overdue(309), []);
    }

    #[test]
    fn who_was_judged_is_never_granted_again_even_with_a_round_under_way() {
        let mut g = grantor();
        let ticket = g.renewal_arrived(renewal(5, 1), 105).unwrap();
        assert_eq!(g.overdue(110).len(), 1);
        assert_eq!(g.majority_confirmed(ticket, 111), Answer::Refused(Refusal::Judged));
        assert_eq!(g.renewal_arrived(renewal(5, 2), 112), Err(Refusal::Judged));
        g.observe(N, Incarnation(6), true, 120);
        assert!(g.renewal_arrived(renewal(6, 1), 121).is_ok());
        assert_eq!(g.overdue(229), []);
        assert_eq!(g.overdue(230), [(N, Incarnation(6))]);
    }

    #[test]
    fn incarnations_are_granted_only_while_they_are_the_agreed_one() {
        let mut g = grantor();
        assert_eq!(g.renewal_arrived(renewal(4, 1), 1), Err(Refusal::OldIncarnation));
        assert_eq!(g.renewal_arrived(renewal(6, 1), 1), Err(Refusal::Unknown));
        let stranger = Renewal { node: NodeId(9), ..renewal(1, 1) };
        assert_eq!(g.renewal_arrived(stranger, 1), Err(Refusal::Unknown));
        let ticket = g.renewal_arrived(renewal(5, 1), 2).unwrap();
        g.observe(N, Incarnation(6), true, 3);
        assert_eq!(g.majority_confirmed(ticket, 4), Answer::Refused(Refusal::OldIncarnation));
        g.observe(N, Incarnation(5), true, 5);
        assert_eq!(g.standing(N).unwrap().incarnation, Incarnation(6), "an old observation is ignored");
        g.forget_all_but(|node| node == N);
        assert!(g.standing(N).is_some());
        g.forget_all_but(|node| node != N);
        assert_eq!(g.renewal_arrived(renewal(6, 2), 6), Err(Refusal::Unknown));
        assert_eq!(g.overdue(1000), []);
    }

    #[test]
    fn a_ticket_of_another_term_is_worth_nothing() {
        let ticket = grantor().renewal_arrived(renewal(5, 1), 1).unwrap();
        let mut next = Grantor::new(3, 2, CONFIG);
        next.observe(N, Incarnation(5), true, 2);
        assert_eq!(next.majority_confirmed(ticket, 3), Answer::Refused(Refusal::NotLeader));
    }
}
