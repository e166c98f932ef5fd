//! Joining and leases: the `Node` service, and the client side of joining.

use super::{Shared, codes};
use crate::{agent::refusal_name, supervisor::RenewAnswer};
use predis_meta::{Action, Addresses, ClusterState, Member, MetaCommand, NewMember, Outcome, VERSION};
use predis_proto::node::{
    Granted, IdentifyReply, IdentifyRequest, JoinReply, JoinRequest, Move, Peer, Refused, RenewReply,
    RenewRequest, node_client::NodeClient, node_server::Node, renew_reply,
};
use predis_raft::{CallError, Channels, ProposeError};
use predis_replica::Renewal;
use predis_types::{Incarnation, NodeId};
use std::time::Duration;
use tonic::{Request, Response, Status};

/// How often a join is computed anew because the metadata changed under it.
const ATTEMPTS: usize = 5;

/// The service.
pub(super) struct Membership(pub(super) Shared);

/// What a node says of itself when it joins.
pub fn describe(name: &str, addrs: &Addresses, zone: &str, region: &str, weight: u32) -> JoinRequest {
    JoinRequest {
        name: name.to_owned(),
        resp_addr: addrs.resp.clone(),
        grpc_addr: addrs.grpc.clone(),
        metrics_addr: addrs.metrics.clone(),
        zone: zone.to_owned(),
        region: region.to_owned(),
        weight,
        metadata_version: VERSION,
    }
}

/// Asks the member at `addr` for a place in its cluster.
///
/// # Errors
/// When it cannot be reached, or refuses.
pub async fn join_through(
    channels: &Channels,
    addr: &str,
    request: JoinRequest,
    limit: Duration,
) -> Result<JoinReply, CallError> {
    channels.call(addr, limit, |channel| async move { NodeClient::new(channel).join(request).await }).await
}

/// Whether a member is the same node asking again before its first boot.
fn is_same(member: &Member, request: &JoinRequest) -> bool {
    member.name == request.name
        && member.incarnation == Incarnation(0)
        && member.addrs.resp == request.resp_addr
        && member.addrs.grpc == request.grpc_addr
}

impl Membership {
    /// Commits a node id for the request.
    async fn issue(&self, request: &JoinRequest) -> Result<NodeId, Status> {
        let shared = &self.0;
        let mut last = Status::unavailable("the metadata keeps changing");
        for _ in 0..ATTEMPTS {
            let read = shared.meta.read(shared.limit).await.map_err(|error| codes::status(&error))?;
            if read.state.cluster().is_none() {
                return Err(Status::unavailable("the cluster is being founded"));
            }
            let (level, understood) = (read.state.level(), request.metadata_version);
            if understood < level {
                return Err(Status::failed_precondition(format!(
                    "the cluster's metadata is of version {level}, the node understands {understood}: upgrade the node"
                )));
            }
            if let Some(member) = read.state.nodes().values().find(|member| is_same(member, request)) {
                return Ok(member.id);
            }
            let member = NewMember {
                id: read.state.next_node_id(),
                name: request.name.clone(),
                addrs: Addresses {
                    resp: request.resp_addr.clone(),
                    grpc: request.grpc_addr.clone(),
                    metrics: request.metrics_addr.clone(),
                },
                zone: request.zone.clone(),
                region: request.region.clone(),
                weight: request.weight,
                metadata_version: request.metadata_version,
            };
            let command = MetaCommand {
                at_ms: shared.clock.wall_ms(),
                actor: "join".to_owned(),
                action: Action::IssueNode { member },
            };
            // Tried on a copy first: what the metadata would refuse need not be written to the log.
            let mut copy = ClusterState::clone(&read.state);
            if let Err(rejected) = copy.apply(read.index + 1, &command) {
                return Err(codes::refused(&rejected));
            }
            match shared.meta.propose(&command, shared.limit).await {
                Ok(agreed) => match agreed.outcome {
                    Outcome::NodeIssued { node } => return Ok(node),
                    other => return Err(Status::internal(format!("unexpected outcome {other:?}"))),
                },
                Err(ProposeError::Rejected(rejected)) if rejected.may_retry() => {
                    last = Status::unavailable(rejected.to_string());
                }
                Err(error) => return Err(codes::status(&error)),
            }
        }
        Err(last)
    }
}

#[tonic::async_trait]
impl Node for Membership {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinReply>, Status> {
        let request = request.into_inner();
        let node = self.issue(&request).await?;
        let published = self.0.meta.published();
        let Some(cluster) = published.state.cluster() else {
            return Err(Status::unavailable("this member does not know its cluster yet"));
        };
        let members = published
            .addresses
            .iter()
            .filter(|(id, _)| **id != node.0)
            .map(|(id, addr)| Peer { node_id: *id, grpc_addr: addr.clone() })
            .collect();
        Ok(Response::new(JoinReply {
            cluster: cluster.id.to_string(),
            node_id: node.0,
            members,
            round_trip_ms: self.0.round_trip_ms,
        }))
    }

    async fn identify(&self, _: Request<IdentifyRequest>) -> Result<Response<IdentifyReply>, Status> {
        let published = self.0.meta.published();
        let cluster = published.state.cluster().map(|cluster| cluster.id.to_string());
        let cluster =
            cluster.ok_or_else(|| Status::unavailable("this member does not know its cluster yet"))?;
        Ok(Response::new(IdentifyReply { cluster, node_id: self.0.node.0 }))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<RenewReply>, Status> {
        let request = request.into_inner();
        let published = self.0.meta.published();
        if published.state.cluster().is_some_and(|cluster| cluster.id.to_string() != request.cluster) {
            return Err(Status::failed_precondition("this node is of another cluster"));
        }
        let renewal = Renewal {
            node: NodeId(request.node_id),
            incarnation: Incarnation(request.incarnation),
            seq: request.sequence,
        };
        let result = match self.0.desk.renew(renewal).await {
            RenewAnswer::Granted { lease_us, moves } => {
                let wire = |wanted: crate::supervisor::Move| Move {
                    partition: u32::from(wanted.partition.0),
                    to: wanted.to.0,
                };
                renew_reply::Result::Granted(Granted {
                    lease_us,
                    moves: moves.into_iter().map(wire).collect(),
                })
            }
            RenewAnswer::Refused(refusal) => {
                renew_reply::Result::Refused(Refused { reason: refusal_name(refusal).to_owned() })
            }
            RenewAnswer::NotLeader(leader) => {
                renew_reply::Result::NotLeader(leader.map_or(0, |leader| leader.0))
            }
        };
        Ok(Response::new(RenewReply { result: Some(result) }))
    }
}
