//! Who has what of partitions that have no primary: asked before it is decided how they go on.
//!
//! Those in sync have all that is committed. What the last primary said yes to beyond that, for tenants that do not wait
//! for a quorum, may be on one of them only. Where none of them is left, copies that nobody waited for may be. Whoever
//! answers listens to the last primary no more.

use crate::regions::spare_holders;
use predis_meta::{PartitionState, Replica};
use predis_proto::replica::{Life, SurveyReply, SurveyRequest, Survivor, replica_client::ReplicaClient};
use predis_raft::{MetaRaft, Published};
use predis_types::{NodeId, PartitionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::task::JoinSet;

/// What was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Of several in-sync survivors of a primary, the one that has most of those that answer.
    pub advanced: BTreeMap<PartitionId, NodeId>,
    /// Partitions that nobody in sync has any more, and that somebody may have whom nobody waited for.
    pub spared: BTreeSet<PartitionId>,
}

/// Asks about all partitions that have no primary. Who does not answer within `limit` is not waited for.
pub(super) async fn survey(meta: &MetaRaft, published: &Published, limit: Duration) -> Survey {
    let state = &published.state;
    let contested = |partition: &PartitionState| partition.primary.is_none() && partition.in_sync.len() > 1;
    let mut asked: BTreeMap<Replica, Vec<PartitionId>> = BTreeMap::new();
    for (id, partition) in (0..).map(PartitionId).zip(state.partitions()) {
        let survivors = partition.in_sync.iter().copied().filter(|_| contested(partition));
        for holder in survivors.chain(spare_holders(state, partition)) {
            asked.entry(holder).or_default().push(id);
        }
    }
    let answers = ask_all(meta, published, asked, limit).await;
    let is_vacant = |id: PartitionId| state.partition(id).is_some_and(PartitionState::is_vacant);
    let mut best: BTreeMap<PartitionId, (u64, NodeId)> = BTreeMap::new();
    let mut spared = BTreeSet::new();
    for Answered { holder, partition, has } in answers {
        let last = has.map(|has| has.map(|has| has.last));
        if is_vacant(partition) {
            // No answer says nothing; that there is nothing is said.
            if last.is_none_or(|last| last > Some(0)) {
                spared.insert(partition);
            }
            continue;
        }
        // Ties go to the lower id, whoever answered first.
        if let Some(Some(last)) = last
            && best.get(&partition).is_none_or(|&(most, by)| (last, by.0) > (most, holder.node.0))
        {
            best.insert(partition, (last, holder.node));
        }
    }
    Survey { advanced: best.into_iter().map(|(id, (_, node))| (id, node)).collect(), spared }
}

/// What one of those that were asked has of one partition.
pub struct Answered {
    /// Who was asked.
    pub holder: Replica,
    /// About what.
    pub partition: PartitionId,
    /// Its whole copy, if it has one; `None`: it did not answer.
    pub has: Option<Option<Has>>,
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Has {
    /// The last entry that it has.
    pub last: u64,
    /// The last entry that its primary is known to have had.
    pub known: u64,
}

/// Asks everybody about partitions, at once.
pub async fn ask_all(
    meta: &MetaRaft,
    published: &Published,
    asked: BTreeMap<Replica, Vec<PartitionId>>,
    limit: Duration,
) -> Vec<Answered> {
    let mut calls = JoinSet::new();
    for (holder, partitions) in asked {
        calls.spawn(ask(meta.clone(), holder, partitions, published.clone(), limit));
    }
    let mut answers = Vec::new();
    while let Some(called) = calls.join_next().await {
        answers.extend(called.unwrap_or_default());
    }
    answers
}

async fn ask(
    meta: MetaRaft,
    holder: Replica,
    partitions: Vec<PartitionId>,
    published: Published,
    limit: Duration,
) -> Vec<Answered> {
    let cluster = published.state.cluster().map(|cluster| cluster.id.to_string());
    let mut said: BTreeMap<u32, Option<Has>> = BTreeMap::new();
    if let (Some(addr), Some(cluster)) = (meta.address(holder.node), cluster) {
        let request = SurveyRequest {
            cluster,
            to: Some(Life { node_id: holder.node.0, incarnation: holder.incarnation.0 }),
            metadata_index: published.index,
            partitions: partitions.iter().map(|id| u32::from(id.0)).collect(),
        };
        let called = meta
            .channels()
            .call(&addr, limit, |channel| async move { ReplicaClient::new(channel).survey(request).await });
        if let Ok(SurveyReply { survivors }) = called.await {
            let has =
                |survivor: &Survivor| survivor.last.map(|last| Has { last, known: survivor.known.max(last) });
            said.extend(survivors.iter().map(|survivor| (survivor.partition, has(survivor))));
        }
    }
    let answered = |partition: PartitionId| {
        let has = said.get(&u32::from(partition.0)).copied();
        Answered { holder, partition, has }
    };
    partitions.into_iter().map(answered).collect()
}
