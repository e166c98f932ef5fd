//! Raft's membership follows the cluster's: every node a learner, three to five of them voters.

use predis_meta::Member;
use predis_raft::{Candidate, MetaRaft, Published, choose_voters};
use predis_types::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Remembers since when members have been down.
pub(super) struct Members {
    replace_after: Duration,
    limit: Duration,
    down_since_us: BTreeMap<NodeId, u64>,
}

impl Members {
    /// Voters are replaced when they are down for `replace_after`; one change may take `limit`.
    pub(super) fn new(replace_after: Duration, limit: Duration) -> Members {
        Members { replace_after, limit, down_since_us: BTreeMap::new() }
    }

    /// Forgets since when members were down: it was not watched any more.
    pub(super) fn forget(&mut self) {
        self.down_since_us.clear();
    }

    /// Makes at most one change of Raft's membership.
    pub(super) async fn tend(&mut self, meta: &MetaRaft, published: &Published, now_us: u64) {
        let nodes = published.state.nodes();
        self.down_since_us.retain(|node, _| nodes.get(node).is_some_and(|member| !member.is_up()));
        for member in nodes.values().filter(|member| !member.is_up()) {
            self.down_since_us.entry(member.id).or_insert(now_us);
        }
        let (voters, known) = meta.members();
        let change = async {
            let missing = nodes.values().find(|member| !known.contains(&member.id));
            let gone = known.iter().find(|node| !nodes.contains_key(node) && !voters.contains(node));
            if let Some(member) = missing {
                return meta.add_learner(member.id, &member.addrs.grpc).await;
            }
            if let Some(node) = gone {
                return meta.remove_learner(*node).await;
            }
            let wanted = self.wanted(nodes.values(), &voters, meta, now_us);
            if wanted == voters && !meta.is_joint() {
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

    fn wanted<'a>(
        &self,
        members: impl Iterator<Item = &'a Member>,
        voters: &BTreeSet<NodeId>,
        meta: &MetaRaft,
        now_us: u64,
    ) -> BTreeSet<NodeId> {
        let Some(me) = meta.leadership().leader.filter(|leader| voters.contains(leader)) else {
            return voters.clone();
        };
        let candidates: Vec<Candidate> = members
            .map(|member| {
                // A voter that is away for a moment keeps its vote; one that is not up never gets one.
                let away_us =
                    self.down_since_us.get(&member.id).map_or(0, |since| now_us.saturating_sub(*since));
                let patient = voters.contains(&member.id) && away_us < self.replace_after.as_micros() as u64;
                let fit = (member.is_up() || patient) && member.mode != predis_meta::Mode::Leaving;
                Candidate { node: member.id, fit, zone: member.zone.clone() }
            })
            .collect();
        choose_voters(voters, &candidates, me)
    }
}
