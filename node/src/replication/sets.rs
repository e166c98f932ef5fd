//! Keeps in-sync sets what they should be: what the shards find due is proposed, many partitions in one command.

use crate::serving::Serving;
use predis_meta::{Action, InSyncChange, Outcome, Replica, limits::CHANGES_PER_COMMAND};
use predis_raft::ProposeError;
use predis_replica::SetChange;
use predis_types::PartitionId;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// How often it is looked what is due.
const LOOK: Duration = Duration::from_millis(50);

/// How long a proposal is waited for, besides round trips. It may be made again, and meanwhile a primary goes on to
/// answer for what only it has: so no longer than a leader that is there takes, for one may be elected elsewhere.
const LIMIT: Duration = Duration::from_millis(400);

/// Proposes what is due, for as long as the life lasts.
pub async fn keep_in_sync(serving: Arc<Serving>) -> String {
    loop {
        tokio::time::sleep(LOOK).await;
        let changes = serving.shards.changes();
        // A member of the version before knows changes one by one only.
        let batch = if serving.meta.published().state.level() < 4 { 1 } else { CHANGES_PER_COMMAND };
        for chunk in changes.chunks(batch) {
            propose(&serving, chunk).await;
        }
    }
}

async fn propose(serving: &Serving, due: &[(PartitionId, SetChange)]) {
    let action = Action::ChangeInSync { changes: due.iter().map(change).collect() };
    let actor = format!("node:{}", serving.node());
    let limit = LIMIT + 4 * serving.round_trip;
    let (refused, certain) = match serving.propose_within(limit, &actor, action).await {
        Ok(agreed) => match agreed.outcome {
            Outcome::InSync { refused } => (refused.into_iter().collect(), true),
            _ => (BTreeSet::new(), true),
        },
        Err(ProposeError::Unknown(reason)) => {
            tracing::info!(reason, "the outcome of a change of in-sync sets is unknown");
            (all(due), false)
        }
        Err(error) => {
            tracing::debug!(%error, "in-sync sets are not changed");
            (all(due), true)
        }
    };
    for (id, change) in due.iter().filter(|(id, _)| refused.contains(id)) {
        serving.shards.not_changed(*id, change, certain);
    }
}

fn all(due: &[(PartitionId, SetChange)]) -> BTreeSet<PartitionId> {
    due.iter().map(|(id, _)| *id).collect()
}

fn change((partition, change): &(PartitionId, SetChange)) -> InSyncChange {
    let replica = |life: &predis_replica::Life| Replica { node: life.node, incarnation: life.incarnation };
    InSyncChange {
        partition: *partition,
        epoch: change.epoch,
        version: change.version,
        in_sync: change.in_sync.iter().map(replica).collect(),
    }
}
