//! What other primaries tell this node, and what the leader asks of its copies.

use super::wire;
use crate::serving::Serving;
use predis_proto::replica::{ReplicateReply, ReplicateRequest, SurveyReply, SurveyRequest, Survivor};
use predis_replica::Life;
use predis_types::PartitionId;
use std::time::Duration;
use tonic::Status;

/// How long a call waits for metadata that the caller has already.
const CATCH_UP: Duration = Duration::from_millis(200);

/// Takes in what a primary tells.
pub async fn receive(serving: &Serving, request: ReplicateRequest) -> Result<ReplicateReply, Status> {
    let from = request.from.as_ref().map(wire::life_of);
    let from = from.ok_or_else(|| Status::invalid_argument("from: must be given"))?;
    check(serving, &request.cluster, request.to.as_ref(), request.metadata_index).await?;
    let made_after = Some(request.answered_us).filter(|at| *at > 0);
    let mut acks = Vec::with_capacity(request.parts.len());
    for part in request.parts {
        let partition = part.partition;
        let told = wire::part_of(part).ok_or_else(|| Status::invalid_argument("parts: one is none"))?;
        match serving.shards.receive(from, told, made_after) {
            Ok(heard) => acks.push(wire::ack(partition, heard)),
            Err(error) => {
                tracing::error!(partition, %error, "a change that was received cannot be applied");
                return Err(Status::failed_precondition(error.to_string()));
            }
        }
    }
    Ok(ReplicateReply { acks, at_us: serving.clock.mono_us() })
}

/// Says how far this node's copies are. From now on it listens to no primary of an earlier epoch than those that it
/// knows.
pub async fn survey(serving: &Serving, request: SurveyRequest) -> Result<SurveyReply, Status> {
    check(serving, &request.cluster, request.to.as_ref(), request.metadata_index).await?;
    let of = |partition: u32| {
        let has = u16::try_from(partition).ok().and_then(|id| serving.shards.survey(PartitionId(id)));
        let known = has.map_or(0, |(_, known)| known.0);
        Survivor { partition, last: has.map(|(last, _)| last.0), known }
    };
    Ok(SurveyReply { survivors: request.partitions.into_iter().map(of).collect() })
}

/// Whether the call is for this life of this node; waits until it knows what the caller knew.
async fn check(
    serving: &Serving,
    cluster: &str,
    to: Option<&predis_proto::replica::Life>,
    metadata_index: u64,
) -> Result<(), Status> {
    if serving.topology.load().cluster.to_string() != cluster {
        return Err(Status::failed_precondition("this node is of another cluster"));
    }
    let to: Option<Life> = to.map(wire::life_of);
    if to != Some(serving.identity) {
        return Err(Status::failed_precondition("the call is for another incarnation"));
    }
    let mut index = serving.shards.watch_metadata_index();
    let applied = index.wait_for(|index| *index >= metadata_index);
    match tokio::time::timeout(CATCH_UP + 2 * serving.round_trip, applied).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(Status::unavailable("this node does not know yet what the caller knows")),
    }
}
