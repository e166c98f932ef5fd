//! Going on from asynchronous copies where nobody in sync is left: the one change that knowingly loses data.
//!
//! ```text
//! who of the home region is down is named -> who has what? -> when it happens is agreed on, then, as of then, the
//! partitions begin anew, each with the node that has most of it as its primary -> the region becomes the home, if nobody
//! of the one before is left; otherwise they move back
//! ```
//! A partition that begins anew begins empty, unless it does so at a time that is agreed to be a recovery: then its new
//! primary keeps what it has, and everybody else drops theirs. Does not know how copies are kept.

use super::{change::Admin, codes, guard::Permit};
use crate::{
    regions::{self, HOME_REGION, RECOVERIES, spare_holders},
    supervisor::{Answered, Has, ask_all},
};
use predis_meta::{
    Action, ClusterState, Expect, MetaCommand, PartitionState, PlacementChange, PlacementKind, Replica,
    limits::CHANGES_PER_COMMAND,
};
use predis_proto::admin::{RecoverReply, RecoverRequest};
use predis_raft::Published;
use predis_types::{NodeId, PartitionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tonic::Status;

/// Who has most of each partition that goes on, and how far that is.
type Holders = BTreeMap<PartitionId, (Replica, Has)>;

/// Recovers what a region has.
pub(super) async fn recover(
    admin: &Admin,
    permit: &Permit,
    request: &RecoverRequest,
) -> Result<RecoverReply, Status> {
    let read = admin.read_for(permit).await?;
    ensure_given_up(&read.state, request)?;
    let vacant = (0..).map(PartitionId).zip(read.state.partitions());
    let vacant = vacant.filter(|(_, partition)| is_lost(partition)).count();
    let holders = holders(admin, &read, &request.region).await?;
    let lost_entries = holders.values().map(|(_, has)| has.known.saturating_sub(has.last)).sum();
    let without_copy = vacant.saturating_sub(holders.len());
    let reply = RecoverReply {
        recovered: u32::try_from(holders.len()).unwrap_or(u32::MAX),
        without_copy: u32::try_from(without_copy).unwrap_or(u32::MAX),
        lost_entries,
    };
    if request.dry_run {
        return Ok(reply);
    }
    tracing::warn!(
        region = request.region,
        partitions = reply.recovered,
        without_copy,
        lost_entries,
        "partitions go on from asynchronous copies"
    );
    if !holders.is_empty() {
        let at_ms = admin.shared.clock.wall_ms();
        agree_on_time(admin, permit, at_ms).await?;
        place(admin, permit, &read.state, at_ms, &holders).await?;
    }
    settle(admin, permit, &request.region).await?;
    Ok(reply)
}

/// Whether a partition was served, and is by nobody, nor could be without a loss.
fn is_lost(partition: &PartitionState) -> bool {
    partition.is_vacant() && partition.epoch.0 > 0
}

/// Refuses unless exactly those members of the home region are named that are down: they are given up.
fn ensure_given_up(state: &ClusterState, request: &RecoverRequest) -> Result<(), Status> {
    let invalid = |words: String| Err(Status::invalid_argument(words));
    let refuse = |words: String| Err(Status::failed_precondition(words));
    let Some(home) = regions::home(state) else {
        return refuse("home-region: must be set: without a home there are no asynchronous copies".into());
    };
    let region: String = request.region.chars().take(80).collect();
    if region == home {
        return invalid(format!("region: must be another one than the home, got {region:?}"));
    }
    if !state.nodes().values().any(|member| member.region == region && member.is_up()) {
        return refuse(format!("region: must have a member that is up, got {region:?}"));
    }
    let down = state.nodes().values().filter(|member| member.region == home && !member.is_up());
    let down: BTreeMap<NodeId, &str> = down.map(|member| (member.id, member.name.as_str())).collect();
    let named: BTreeSet<NodeId> = request.lost.iter().copied().map(NodeId).collect();
    if !down.keys().eq(&named) {
        let listed: Vec<String> = down.iter().map(|(id, name)| format!("{id} {name}")).collect();
        let listed = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
        return invalid(format!("lost: must name the members of the home {home} that are down: {listed}"));
    }
    Ok(())
}

/// Who in the region has most of each partition that was lost. Somebody who may have one and does not answer is in the
/// way: it could have most.
async fn holders(admin: &Admin, read: &Published, region: &str) -> Result<Holders, Status> {
    let state = &read.state;
    let mut asked: BTreeMap<Replica, Vec<PartitionId>> = BTreeMap::new();
    for (id, partition) in (0..).map(PartitionId).zip(state.partitions()).filter(|(_, p)| is_lost(p)) {
        let in_region = |holder: &Replica| state.node(holder.node).is_some_and(|m| m.region == region);
        for holder in spare_holders(state, partition).filter(in_region) {
            asked.entry(holder).or_default().push(id);
        }
    }
    let limit = admin.shared.limit.max(Duration::from_secs(2));
    let mut holders = Holders::new();
    for Answered { holder, partition, has } in ask_all(&admin.shared.meta, read, asked, limit).await {
        let Some(has) = has else {
            return Err(Status::unavailable(format!("node {} does not say what it has", holder.node)));
        };
        // One that has nothing need not be gone on from.
        let Some(has) = has.filter(|has| has.last > 0) else { continue };
        let best = holders.get(&partition);
        if best.is_none_or(|(by, best)| (has.last, by.node) > (best.last, holder.node)) {
            holders.insert(partition, (holder, has));
        }
    }
    Ok(holders)
}

/// Has it agreed on that what is lost at this time is recovered.
async fn agree_on_time(admin: &Admin, permit: &Permit, at_ms: u64) -> Result<(), Status> {
    let changed = admin.change(permit, |state, _| {
        let expect = state.config().get(RECOVERIES).cloned().map_or(Expect::Absent, Expect::Value);
        let value = Some(regions::with_recovery(state, at_ms));
        Ok(Some(Action::SetConfig { key: RECOVERIES.into(), value, expect }))
    });
    changed.await.map(|_| ())
}

/// Makes the holders primaries, as of that time.
async fn place(
    admin: &Admin,
    permit: &Permit,
    state: &ClusterState,
    at_ms: u64,
    holders: &Holders,
) -> Result<(), Status> {
    let change = |(&id, &(to, _)): (&PartitionId, &(Replica, Has))| {
        let partition = state.partition(id)?;
        let others = partition.replicas.iter().copied().filter(|node| *node != to.node);
        Some(PlacementChange {
            partition: id,
            epoch: partition.epoch,
            version: partition.version,
            replicas: std::iter::once(to.node).chain(others).collect(),
            kind: PlacementKind::Restart { to },
        })
    };
    let changes: Vec<PlacementChange> = holders.iter().filter_map(change).collect();
    for chunk in changes.chunks(CHANGES_PER_COMMAND) {
        let action = Action::Place { changes: chunk.to_vec() };
        let command = MetaCommand { at_ms, actor: permit.actor(), action };
        let proposed = admin.shared.meta.propose(&command, admin.shared.limit).await;
        proposed.map_err(|error| codes::status(&error))?;
    }
    Ok(())
}

/// Makes the region the home, if nobody of the one before is up.
async fn settle(admin: &Admin, permit: &Permit, region: &str) -> Result<(), Status> {
    let changed = admin.change(permit, |state, _| {
        let home = regions::home(state);
        if state.nodes().values().any(|member| member.is_up() && Some(member.region.as_str()) == home) {
            return Ok(None);
        }
        let expect = state.config().get(HOME_REGION).cloned().map_or(Expect::Absent, Expect::Value);
        let value = Some(region.to_owned());
        Ok(Some(Action::SetConfig { key: HOME_REGION.into(), value, expect }))
    });
    changed.await.map(|_| ())
}
