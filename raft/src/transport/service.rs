//! Incoming gRPC calls for openraft, and for those who want something committed or read.

use super::{SnapshotMessage, decode, encode, is_contiguous};
use crate::{
    error::ProposeError,
    metadata::{MetaRaft, Step},
    types::{Proposal, Raft, Snapshot, TypeConfig},
};
use openraft::raft::AppendEntriesRequest;
use predis_proto::raft::{
    Committed, Envelope, NotLeader, ProposeReply, ProposeRequest, ReadIndexReply, ReadIndexRequest,
    propose_reply, raft_server, read_index_reply,
};
use std::io::Cursor;
use tonic::{Request, Response, Status};

/// The server side of Raft for one member.
pub(crate) struct Service {
    pub(crate) raft: Raft,
    pub(crate) metadata: MetaRaft,
    pub(crate) cluster: String,
    pub(crate) node: u64,
}

impl Service {
    fn check_cluster(&self, cluster: &str) -> Result<(), Status> {
        if cluster == self.cluster {
            return Ok(());
        }
        Err(Status::failed_precondition(format!(
            "this is cluster {}, the call is for {cluster}",
            self.cluster
        )))
    }

    fn open<T: serde::de::DeserializeOwned>(&self, envelope: &Envelope) -> Result<T, Status> {
        self.check_cluster(&envelope.cluster)?;
        // An address may have passed to another member: who answers for somebody else votes twice.
        if envelope.to != self.node {
            let text = format!("this is node {}, the message is for node {}", self.node, envelope.to);
            return Err(Status::failed_precondition(text));
        }
        decode(&envelope.message).map_err(|error| Status::invalid_argument(error.to_string()))
    }

    fn seal<T: serde::Serialize>(&self, answer: &T) -> Result<Response<Envelope>, Status> {
        let message = encode(answer).map_err(internal)?.into();
        Ok(Response::new(Envelope { cluster: self.cluster.clone(), message, to: 0 }))
    }
}

fn internal(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

#[tonic::async_trait]
impl raft_server::Raft for Service {
    async fn append_entries(&self, request: Request<Envelope>) -> Result<Response<Envelope>, Status> {
        let request: AppendEntriesRequest<TypeConfig> = self.open(request.get_ref())?;
        if !is_contiguous(&request) {
            return Err(Status::invalid_argument("entries do not follow the previous log id"));
        }
        self.seal(&self.raft.append_entries(request).await.map_err(internal)?)
    }

    async fn vote(&self, request: Request<Envelope>) -> Result<Response<Envelope>, Status> {
        let request = self.open(request.get_ref())?;
        self.seal(&self.raft.vote(request).await.map_err(internal)?)
    }

    async fn install_snapshot(&self, request: Request<Envelope>) -> Result<Response<Envelope>, Status> {
        let message: SnapshotMessage = self.open(request.get_ref())?;
        let snapshot =
            Snapshot { meta: message.meta, snapshot: Box::new(Cursor::new(message.data.into_bytes())) };
        self.seal(&self.raft.install_full_snapshot(message.vote, snapshot).await.map_err(internal)?)
    }

    async fn propose(&self, request: Request<ProposeRequest>) -> Result<Response<ProposeReply>, Status> {
        let request = request.into_inner();
        self.check_cluster(&request.cluster)?;
        let command = String::from_utf8(request.command.to_vec())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let result = match self.metadata.propose_here(Proposal { command, term: None }).await {
            Ok(Step::Done((index, response))) => {
                let response = encode(&response).map_err(internal)?.into();
                propose_reply::Result::Committed(Committed { index, response })
            }
            Ok(Step::NotLeader(leader)) => not_leader(leader, propose_reply::Result::NotLeader),
            Err(ProposeError::Invalid(reason)) => return Err(Status::invalid_argument(reason)),
            Err(ProposeError::NotYet(reason)) => return Err(Status::invalid_argument(reason.to_string())),
            Err(error) => return Err(internal(error)),
        };
        Ok(Response::new(ProposeReply { result: Some(result) }))
    }

    async fn read_index(
        &self,
        request: Request<ReadIndexRequest>,
    ) -> Result<Response<ReadIndexReply>, Status> {
        self.check_cluster(&request.get_ref().cluster)?;
        let result = match self.metadata.read_index_here().await {
            Ok(Step::Done(index)) => read_index_reply::Result::Index(index),
            Ok(Step::NotLeader(leader)) => not_leader(leader, read_index_reply::Result::NotLeader),
            Err(error) => return Err(internal(error)),
        };
        Ok(Response::new(ReadIndexReply { result: Some(result) }))
    }
}

fn not_leader<T>(leader: Option<u64>, wrap: impl FnOnce(NotLeader) -> T) -> T {
    wrap(NotLeader { leader: leader.unwrap_or(0) })
}
