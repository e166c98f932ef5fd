//! Raft's membership follows the cluster's: every node a learner, three to five of them voters.
//!
//! A member that is leaving gives its vote away when it has no seat left. If it leads, it first makes others vote and
//! then drops itself, so that one of them is elected; the next leader takes it in again, as a learner, until it has
//! heard that it has left.

use predis_meta::{ClusterState, Member, Mode};
use predis_raft::{Candidate, MetaRaft, Published, choose_voters};
use predis_types::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long a learner that is no member any more, and has that in its log, is still told what is committed of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long one that does not answer is waited for, so that it is told. One that stays away longer has to be told by its
/// operator.
const PATIENCE: Duration = Duration::from_secs(60);

/// A learner that is no member any more.
struct Gone {
    since_us: u64,
    /// It is none by this log index, as nearly as is known: it ends as soon as it hears, and its log with it.
    index: u64,
    /// Since when it has had that.
    heard_us: Option<u64>,
}

impl Gone {
    /// Whether nothing more is to be told to it.
    fn is_over(&self, now_us: u64) -> bool {
        let over =
            |since_us: u64, limit: Duration| now_us.saturating_sub(since_us) >= limit.as_micros() as u64;
        self.heard_us.is_some_and(|heard_us| over(heard_us, FAREWELL)) || over(self.since_us, PATIENCE)
    }
}

/// Remembers since when members have been down, or gone.
pub(super) struct Members {
    replace_after: Duration,
    limit: Duration,
    down_since_us: BTreeMap<NodeId, u64>,
    gone: BTreeMap<NodeId, Gone>,
    /// How far the state reached when it was looked at last.
    looked: Option<u64>,
}

/// Whether a member is leaving and holds nothing any more.
pub(super) fn is_departing(state: &ClusterState, member: &Member) -> bool {
    member.mode == Mode::Leaving && state.seats_of(member.id).next().is_none()
}

impl Members {
    /// Voters are replaced when they are down for `replace_after`; one change may take `limit`.
    pub(super) fn new(replace_after: Duration, limit: Duration) -> Members {
        Members { replace_after, limit, down_since_us: BTreeMap::new(), gone: BTreeMap::new(), looked: None }
    }

    /// Forgets since when members were down or gone: it was not watched any more.
    pub(super) fn forget(&mut self) {
        self.down_since_us.clear();
        self.gone.clear();
        self.looked = None;
    }

    /// Makes at most one change of Raft's membership.
    pub(super) async fn tend(&mut self, meta: &MetaRaft, published: &Published, now_us: u64) {
        let nodes = published.state.nodes();
        self.down_since_us.retain(|node, _| nodes.get(node).is_some_and(|member| !member.is_up()));
        for member in nodes.values().filter(|member| !member.is_up()) {
            self.down_since_us.entry(member.id).or_insert(now_us);
        }
        let (voters, known) = meta.members();
        self.gone.retain(|node, _| known.contains(node));
        for node in known.iter().filter(|node| !nodes.contains_key(node)) {
            let index = self.looked.map_or(published.index, |looked| looked + 1);
            let gone = Gone { since_us: now_us, index, heard_us: None };
            let gone = self.gone.entry(*node).or_insert(gone);
            if gone.heard_us.is_none() && meta.replicated(*node) >= Some(gone.index) {
                gone.heard_us = Some(now_us);
            }
        }
        self.looked = Some(published.index);
        let Some(me) = meta.leadership().leader else { return };
        if !known.contains(&me) {
            // It has dropped itself: what is still to be changed is for the next leader.
            return;
        }
        let change = async {
            let missing = nodes.values().find(|member| !known.contains(&member.id));
            let mut gone = self.gone.iter().filter(|(node, _)| !voters.contains(node));
            if let Some(member) = missing {
                return meta.add_learner(member.id, &member.addrs.grpc).await;
            }
            if let Some((node, _)) = gone.find(|(_, gone)| gone.is_over(now_us)) {
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
                let (region, zone) = (member.region.clone(), member.zone.clone());
                Candidate { node: member.id, fit, region, zone }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_gone_is_told_so_and_not_waited_for_without_end() {
        let (second, minute) = (FAREWELL.as_micros() as u64, PATIENCE.as_micros() as u64);
        let gone = |heard_us| Gone { since_us: 5, index: 9, heard_us };
        assert!(!gone(Some(7)).is_over(6 + second) && gone(Some(7)).is_over(7 + second));
        assert!(!gone(None).is_over(4 + minute) && gone(None).is_over(5 + minute));
    }
}
