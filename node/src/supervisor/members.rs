//! Raft's membership follows the cluster's: every node a learner, three to five of them voters.
//!
//! A member that is leaving gives its vote away when it has no seat left. If it leads, it first makes others vote and
//! then drops itself, so that one of them is elected; the next leader takes it in again, as a learner, for long enough
//! to hear that it has left.

use predis_meta::{ClusterState, Member, Mode};
use predis_raft::{Candidate, MetaRaft, Published, choose_voters};
use predis_types::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long a learner that is no member any more is still told what is agreed on: that it is none is part of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// Remembers since when members have been down, or gone.
pub(super) struct Members {
    replace_after: Duration,
    limit: Duration,
    down_since_us: BTreeMap<NodeId, u64>,
    gone_since_us: BTreeMap<NodeId, u64>,
}

/// Whether a member is leaving and holds nothing any more.
pub(super) fn is_departing(state: &ClusterState, member: &Member) -> bool {
    member.mode == Mode::Leaving && state.seats_of(member.id).next().is_none()
}

impl Members {
    /// Voters are replaced when they are down for `replace_after`; one change may take `limit`.
    pub(super) fn new(replace_after: Duration, limit: Duration) -> Members {
        let (down_since_us, gone_since_us) = (BTreeMap::new(), BTreeMap::new());
        Members { replace_after, limit, down_since_us, gone_since_us }
    }

    /// Forgets since when members were down or gone: it was not watched any more.
    pub(super) fn forget(&mut self) {
        self.down_since_us.clear();
        self.gone_since_us.clear();
    }

    /// Makes at most one change of Raft's membership.
    pub(super) async fn tend(&mut self, meta: &MetaRaft, published: &Published, now_us: u64) {
        let nodes = published.state.nodes();
        self.down_since_us.retain(|node, _| nodes.get(node).is_some_and(|member| !member.is_up()));
        for member in nodes.values().filter(|member| !member.is_up()) {
            self.down_since_us.entry(member.id).or_insert(now_us);
        }
        let (voters, known) = meta.members();
        self.gone_since_us.retain(|node, _| known.contains(node));
        for node in known.iter().filter(|node| !nodes.contains_key(node)) {
            self.gone_since_us.entry(*node).or_insert(now_us);
        }
        let Some(me) = meta.leadership().leader else { return };
        if !known.contains(&me) {
            // It has dropped itself: what is still to be changed is for the next leader.
            return;
        }
        let change = async {
            let missing = nodes.values().find(|member| !known.contains(&member.id));
            let over = |since: &u64| now_us.saturating_sub(*since) >= FAREWELL.as_micros() as u64;
            let mut gone = self.gone_since_us.iter().filter(|(node, _)| !voters.contains(node));
            if let Some(member) = missing {
                return meta.add_learner(member.id, &member.addrs.grpc).await;
            }
            if let Some((node, _)) = gone.find(|(_, since)| over(since)) {
                return meta.remove_learner(*node).await;
            }
            let wanted = self.wanted(&published.state, &voters, me, now_us);
            if wanted == voters && !meta.is_joint() {
                if !voters.contains(&me) && nodes.get(&me).is_some_and(|m| is_departing(&published.state, m))
                {
                    tracing::info!("this leader is leaving: it lets others lead");
                    return meta.remove_learner(me).await;
                }
                return Ok(());
            }
            tracing::info!(?voters, ?wanted, "voters change");
            meta.set_voters(&wanted).await
        };
        // A change that waits for a member that does not answer must not keep the supervisor from judging.
        match tokio::time::timeout(self.limit, change).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(%error, "raft's membership is changed later"),
            Err(_) => tracing::info!("a change of raft's membership takes long"),
        }
    }

    fn wanted(
        &self,
        state: &ClusterState,
        voters: &BTreeSet<NodeId>,
        leader: NodeId,
        now_us: u64,
    ) -> BTreeSet<NodeId> {
        let staying = state.nodes().values().filter(|member| !is_departing(state, member));
        let candidates: Vec<Candidate> = staying
            .map(|member| {
                // A voter that is away for a moment keeps its vote; one that is not up never gets one.
                let away_us =
                    self.down_since_us.get(&member.id).map_or(0, |since| now_us.saturating_sub(*since));
                let patient = voters.contains(&member.id) && away_us < self.replace_after.as_micros() as u64;
                let fit = (member.is_up() || patient) && member.mode != Mode::Leaving;
                Candidate { node: member.id, fit, zone: member.zone.clone() }
            })
            .collect();
        let stays = |node: &NodeId| candidates.iter().any(|candidate| candidate.node == *node);
        if stays(&leader) {
            return choose_voters(voters, &candidates, leader);
        }
        // The leader is leaving: whoever is up may lead, those who vote first.
        let up = |node: &NodeId| state.node(*node).is_some_and(Member::is_up);
        let mut fit: Vec<NodeId> = candidates.iter().filter(|c| c.fit).map(|c| c.node).filter(up).collect();
        fit.sort_by_key(|node| (!voters.contains(node), *node));
        fit.first().map_or_else(|| voters.clone(), |next| choose_voters(voters, &candidates, *next))
    }
}
