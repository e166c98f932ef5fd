//! Who of the survivors of a primary has most: asked before one of them takes over.
//!
//! All of them have what is committed. What the last primary said yes to beyond that, for tenants that do not wait for
//! a quorum, may be on one of them only. Whoever answers listens to the last primary no more.

use predis_meta::{PartitionState, Replica};
use predis_proto::replica::{Life, SurveyReply, SurveyRequest, replica_client::ReplicaClient};
use predis_raft::{MetaRaft, Published};
use predis_types::{NodeId, PartitionId};
use std::{collections::BTreeMap, time::Duration};
use tokio::task::JoinSet;

/// How long survivors may take to answer; who does not is not waited for.
const LIMIT: Duration = Duration::from_millis(250);

/// For every partition that has no primary but several survivors, the one that has most of those that answer.
pub(super) async fn advanced(meta: &MetaRaft, published: &Published) -> BTreeMap<PartitionId, NodeId> {
    let contested = |partition: &PartitionState| partition.primary.is_none() && partition.in_sync.len() > 1;
    let mut asked: BTreeMap<Replica, Vec<u32>> = BTreeMap::new();
    for (id, partition) in (0u32..).zip(published.state.partitions()) {
        for survivor in partition.in_sync.iter().filter(|_| contested(partition)) {
            asked.entry(*survivor).or_default().push(id);
        }
    }
    let mut answers = JoinSet::new();
    for (survivor, partitions) in asked {
        answers.spawn(ask(meta.clone(), survivor, partitions, published.clone()));
    }
    let mut best: BTreeMap<PartitionId, (u64, NodeId)> = BTreeMap::new();
    while let Some(answered) = answers.join_next().await {
        let Ok(Some((node, reply))) = answered else { continue };
        for survivor in reply.survivors {
            let Ok(id) = u16::try_from(survivor.partition) else { continue };
            // Ties go to the lower id, whoever answered first.
            if let Some(last) = survivor.last
                && best.get(&PartitionId(id)).is_none_or(|&(most, by)| (last, by.0) > (most, node.0))
            {
                best.insert(PartitionId(id), (last, node));
            }
        }
    }
    best.into_iter().map(|(id, (_, node))| (id, node)).collect()
}

async fn ask(
    meta: MetaRaft,
    survivor: Replica,
    partitions: Vec<u32>,
    published: Published,
) -> Option<(NodeId, SurveyReply)> {
    let addr = meta.address(survivor.node)?;
    let request = SurveyRequest {
        cluster: published.state.cluster()?.id.to_string(),
        to: Some(Life { node_id: survivor.node.0, incarnation: survivor.incarnation.0 }),
        metadata_index: published.index,
        partitions,
    };
    let called = meta
        .channels()
        .call(&addr, LIMIT, |channel| async move { ReplicaClient::new(channel).survey(request).await });
    called.await.ok().map(|reply| (survivor.node, reply))
}
