//! Keeps the node's lease: renewals to whoever leads, one at a time.

use crate::{
    serving::Serving,
    supervisor::{Desk, Move, RenewAnswer},
};
use predis_proto::node::{RenewRequest, node_client::NodeClient, renew_reply};
use predis_replica::{Holder, LeaseConfig, Refusal, Renewal};
use predis_types::{
    NodeId, PartitionId,
    probe::{Event, Probe},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// What the lease agent works with.
pub struct LeaseAgent {
    /// The node.
    pub serving: Arc<Serving>,
    /// This member's own desk, for when it leads.
    pub desk: Arc<Desk>,
    /// How long leases last.
    pub config: LeaseConfig,
    /// Where moves go.
    pub moves: mpsc::UnboundedSender<Vec<Move>>,
    /// Who watches.
    pub probe: Arc<dyn Probe>,
}

/// Renews until the lease is refused for good; says why.
pub async fn hold_lease(agent: LeaseAgent) -> Refusal {
    let serving = &agent.serving;
    let identity = serving.identity;
    let mut holder = Holder::new(identity.node, identity.incarnation, agent.config);
    loop {
        let Some(renewal) = holder.poll(serving.clock.mono_us()) else {
            if let Some(over) = holder.over() {
                serving.lease.set(0);
                return over;
            }
            let wait_us = holder.next_poll().unwrap_or(0).saturating_sub(serving.clock.mono_us());
            tokio::time::sleep(Duration::from_micros(wait_us.max(1))).await;
            continue;
        };
        match agent.ask(renewal).await {
            Some(RenewAnswer::Granted { lease_us, moves }) => {
                holder.granted(renewal.seq, serving.clock.mono_us(), lease_us);
                serving.lease.set(holder.until());
                let incarnation = identity.incarnation;
                agent.probe.event(Event::Leased { incarnation, until_us: holder.until() });
                if !moves.is_empty() {
                    // Without a receiver the life is ending.
                    let _ = agent.moves.send(moves);
                }
            }
            Some(RenewAnswer::Refused(refusal)) => holder.refused(renewal.seq, refusal),
            Some(RenewAnswer::NotLeader(_)) | None => {
                holder.refused(renewal.seq, Refusal::NotLeader);
                agent.leader_change().await;
                holder.renew_at_once();
            }
        }
    }
}

impl LeaseAgent {
    /// One attempt; `None` when there was no answer.
    async fn ask(&self, renewal: Renewal) -> Option<RenewAnswer> {
        let meta = &self.serving.meta;
        let leadership = meta.leadership();
        if leadership.is_me {
            return Some(self.desk.renew(renewal).await);
        }
        let addr = meta.address(leadership.leader?)?;
        let request = RenewRequest {
            cluster: self.serving.topology.load().cluster.to_string(),
            node_id: renewal.node.0,
            incarnation: renewal.incarnation.0,
            sequence: renewal.seq,
        };
        let limit = Duration::from_micros(self.config.renew_every_us);
        let called = meta
            .channels()
            .call(&addr, limit, |channel| async move { NodeClient::new(channel).renew(request).await });
        match called.await.ok()?.result? {
            renew_reply::Result::Granted(granted) => {
                let moves = granted.moves.iter().filter_map(|wanted| {
                    let partition = PartitionId(u16::try_from(wanted.partition).ok()?);
                    Some(Move { partition, to: NodeId(wanted.to) })
                });
                Some(RenewAnswer::Granted { lease_us: granted.lease_us, moves: moves.collect() })
            }
            renew_reply::Result::Refused(refused) => refusal(&refused.reason).map(RenewAnswer::Refused),
            renew_reply::Result::NotLeader(leader) => {
                Some(RenewAnswer::NotLeader((leader != 0).then_some(NodeId(leader))))
            }
        }
    }

    /// Waits until somebody else leads, or until it is time to ask again anyway.
    async fn leader_change(&self) {
        let meta = &self.serving.meta;
        let limit = Duration::from_micros(self.config.renew_every_us / 4);
        let _ = tokio::time::timeout(limit, meta.leadership_changed(meta.leadership())).await;
    }
}

/// The refusals that cross the wire, by name.
const REFUSALS: [(&str, Refusal); 3] = [
    ("unknown", Refusal::Unknown),
    ("old_incarnation", Refusal::OldIncarnation),
    ("judged", Refusal::Judged),
];

/// A refusal's name on the wire.
pub fn refusal_name(refusal: Refusal) -> &'static str {
    REFUSALS.iter().find(|(_, known)| *known == refusal).map_or("unknown", |(name, _)| name)
}

fn refusal(name: &str) -> Option<Refusal> {
    REFUSALS.iter().find(|(known, _)| *known == name).map(|(_, refusal)| *refusal)
}
