//! Where leases are granted while this member leads.
//!
//! Drives [`Grantor`] with arrivals, majority rounds and the agreed state; knows nothing of gRPC.

use super::{rounds::Rounds, unheard::is_unheard};
use predis_meta::{ClusterState, Replica};
use predis_raft::MetaRaft;
use predis_replica::{Answer, Grantor, LeaseConfig, Refusal, Renewal};
use predis_types::{Clock, Incarnation, NodeId, PartitionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A partition that its primary should give away while it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub partition: PartitionId,
    /// To whom.
    pub to: NodeId,
}

/// How often it is looked whether time passed unseen.
const PULSE: Duration = Duration::from_millis(50);

/// How many moves go out with one lease.
const MOVES_PER_GRANT: usize = 64;

/// What a node that asked for a lease is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewAnswer {
    /// The lease lasts this long from when the renewal was sent.
    Granted {
        /// In microseconds.
        lease_us: u64,
        /// What the node should give away.
        moves: Vec<Move>,
    },
    /// There is none.
    Refused(Refusal),
    /// Another member may know; the leader, when it is known.
    NotLeader(Option<NodeId>),
}

/// The lease desk of one member.
pub struct Desk {
    meta: MetaRaft,
    clock: Arc<dyn Clock>,
    config: LeaseConfig,
    rounds: Rounds,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    // Only while this member leads.
    grantor: Option<Grantor>,
    // When this process was last seen to run.
    awake_us: u64,
    // When the last round began that a majority answered.
    confirmed_us: u64,
    // Members follow this leader and cannot reach it.
    unheard: bool,
    moves: BTreeMap<NodeId, Vec<Move>>,
}

impl Desk {
    /// A desk that is closed until this member leads.
    pub fn new(meta: MetaRaft, clock: Arc<dyn Clock>, config: LeaseConfig) -> Desk {
        let limit = Duration::from_micros(config.lease_us / 2);
        let rounds = Rounds::start(meta.clone(), limit);
        Desk { meta, clock, config, rounds, inner: Mutex::default() }
    }

    /// The state, having noticed whether time passed unseen: whoever looks first after a stand-still must know.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.mono_us();
        let still_us = now.saturating_sub(std::mem::replace(&mut inner.awake_us, now));
        if let Some(grantor) = &mut inner.grantor
            && still_us > self.config.lease_us / 4
        {
            tracing::warn!(
                still_ms = still_us / 1000,
                "this leader stood still: nobody is judged for a lease"
            );
            grantor.stood_still(now);
        }
        inner
    }

    /// Watches for moments in which this process, or its machine, stood still. Never ends.
    pub async fn watch_time(self: Arc<Self>) {
        loop {
            tokio::time::sleep(PULSE).await;
            drop(self.lock());
        }
    }

    /// Answers one renewal.
    pub async fn renew(&self, renewal: Renewal) -> RenewAnswer {
        let arrived = {
            let mut inner = self.lock();
            let Some(grantor) = &mut inner.grantor else { return self.not_leader() };
            observe(grantor, &self.meta.published().state, self.clock.mono_us());
            grantor.renewal_arrived(renewal, self.clock.mono_us())
        };
        let ticket = match arrived {
            Ok(ticket) => ticket,
            Err(Refusal::NotLeader) => return self.not_leader(),
            Err(refusal) => return refused(refusal, renewal, &self.meta.published().state),
        };
        if !self.confirm().await {
            return self.not_leader();
        }
        let mut inner = self.lock();
        let now = self.clock.mono_us();
        // The round waited until all that was committed before it is applied: the grantor must know it too.
        let published = self.meta.published();
        let answer = inner.grantor.as_mut().map(|grantor| {
            observe(grantor, &published.state, now);
            grantor.majority_confirmed(ticket, now)
        });
        match answer {
            Some(Answer::Granted(grant)) => {
                // Each renewal offers the next few: those in front may hold data for long.
                let moves = inner.moves.get(&renewal.node).map(Vec::as_slice).unwrap_or_default();
                let windows = moves.len().div_ceil(MOVES_PER_GRANT).max(1);
                let window = (renewal.seq % windows as u64) as usize;
                let moves =
                    moves.iter().copied().skip(window * MOVES_PER_GRANT).take(MOVES_PER_GRANT).collect();
                RenewAnswer::Granted { lease_us: grant.lease_us, moves }
            }
            Some(Answer::Refused(Refusal::NotLeader)) | None => self.not_leader(),
            Some(Answer::Refused(refusal)) => refused(refusal, renewal, &published.state),
        }
    }

    /// A majority round. One that succeeds after a silence tells that this leader was cut off: nobody could be
    /// heard in that time, so nobody is judged for the time of a lease.
    async fn confirm(&self) -> bool {
        let began = self.clock.mono_us();
        if !self.rounds.confirmed().await {
            return false;
        }
        let mut inner = self.lock();
        let silent_us = began.saturating_sub(inner.confirmed_us);
        inner.confirmed_us = inner.confirmed_us.max(began);
        if let Some(grantor) = &mut inner.grantor
            && silent_us > self.config.lease_us / 4
        {
            tracing::warn!(
                silent_ms = silent_us / 1000,
                "this leader was cut off: nobody is judged for a lease"
            );
            grantor.stood_still(self.clock.mono_us());
        }
        true
    }

    fn not_leader(&self) -> RenewAnswer {
        let leadership = self.meta.leadership();
        RenewAnswer::NotLeader(leadership.leader.filter(|_| !leadership.is_me))
    }

    /// Opens the desk for a term, or closes it.
    pub(super) fn lead(&self, term: Option<u64>) {
        let now = self.clock.mono_us();
        let mut inner = self.lock();
        inner.confirmed_us = now;
        inner.unheard = false;
        inner.grantor = term.map(|term| Grantor::new(term, now, self.config));
        inner.moves.clear();
    }

    /// Whether the time a new leader must wait is over.
    pub(super) fn may_judge(&self) -> bool {
        let now = self.clock.mono_us();
        self.lock().grantor.as_ref().is_some_and(|grantor| now >= grantor.judges_from())
    }

    /// The members whose leases have run out for sure. From now on they are granted none; so it must be known
    /// that a majority still follows, or a leader that lost it would bar everyone, itself included, for nothing. Nor
    /// is anybody judged by a leader that is followed and not reached.
    pub(super) async fn judge(&self) -> Vec<(NodeId, Incarnation)> {
        // Often enough for a silence to be noticed when it ends, whoever else asks.
        let quiet_us = self.clock.mono_us().saturating_sub(self.lock().confirmed_us);
        if quiet_us > self.config.lease_us / 8 && !self.confirm().await {
            return Vec::new();
        }
        let candidates = {
            let mut inner = self.lock();
            let Some(grantor) = &mut inner.grantor else { return Vec::new() };
            observe(grantor, &self.meta.published().state, self.clock.mono_us());
            // On a copy: asking the grantor is what bars them.
            grantor.clone().overdue(self.clock.mono_us())
        };
        if candidates.is_empty() || !self.confirm().await {
            return Vec::new();
        }
        let published = self.meta.published();
        let up = published.state.nodes().values().filter(|member| member.is_up()).map(|member| member.id);
        let overdue: BTreeSet<NodeId> = candidates.iter().map(|(node, _)| *node).collect();
        let mut inner = self.lock();
        if is_unheard(self.meta.node(), &self.meta.members().0, &up.collect(), &overdue) {
            inner.unheard = true;
            return Vec::new();
        }
        let Some(grantor) = &mut inner.grantor else { return Vec::new() };
        observe(grantor, &self.meta.published().state, self.clock.mono_us());
        grantor.overdue(self.clock.mono_us())
    }

    /// Whether this leader should let another one lead, because members follow it that cannot reach it.
    pub(super) fn is_unheard(&self) -> bool {
        self.lock().unheard
    }

    /// Replaces what each node should give away.
    pub(super) fn hand_out(&self, moves: BTreeMap<NodeId, Vec<Move>>) {
        self.lock().moves = moves;
    }
}

/// A refusal as the node is told it: that it was judged is final only once that is committed. Until then the node
/// keeps what it has, without a lease: another leader may grant it one.
fn refused(refusal: Refusal, renewal: Renewal, state: &ClusterState) -> RenewAnswer {
    let stands = state.is_live(Replica { node: renewal.node, incarnation: renewal.incarnation });
    RenewAnswer::Refused(if refusal.is_final() && stands { Refusal::Unknown } else { refusal })
}

/// Tells the grantor of every member that the agreed state has, and of no other.
fn observe(grantor: &mut Grantor, state: &ClusterState, now: u64) {
    grantor.forget_all_but(|node| state.node(node).is_some());
    for member in state.nodes().values() {
        grantor.observe(member.id, member.incarnation, member.is_up(), now);
    }
}
