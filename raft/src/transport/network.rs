//! openraft's outgoing messages as gRPC calls.

use super::{CallError, Channels, decode, encode, is_contiguous};
use crate::{
    state_machine::Published,
    types::{Snapshot, SnapshotMeta, TypeConfig, Vote},
};
use openraft::{
    BasicNode,
    error::{Fatal, RPCError, RaftError, ReplicationClosed, StreamingError, Timeout, Unreachable},
    network::{RPCOption, RPCTypes, RaftNetwork, RaftNetworkFactory},
    raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse},
};
use predis_proto::raft::{Envelope, raft_client::RaftClient};
use predis_types::{
    ClusterId, NodeId,
    probe::{Event, Probe},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::sync::watch;

type RpcError = RPCError<u64, BasicNode, RaftError<u64>>;

/// A whole snapshot on its way.
#[derive(Serialize, Deserialize)]
pub(crate) struct SnapshotMessage {
    pub(crate) vote: Vote,
    pub(crate) meta: SnapshotMeta,
    pub(crate) data: String,
}

/// Makes a connection object per target; they share the channels.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) me: NodeId,
    pub(crate) cluster: ClusterId,
    pub(crate) channels: Arc<Channels>,
    pub(crate) known: watch::Receiver<Published>,
    pub(crate) probe: Arc<dyn Probe>,
}

/// Messages to one target.
pub(crate) struct Link {
    network: Network,
    target: u64,
    // Where Raft's membership says it is; the metadata may know a newer address.
    addr: String,
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Link;

    async fn new_client(&mut self, target: u64, node: &BasicNode) -> Link {
        Link { network: self.clone(), target, addr: node.addr.clone() }
    }
}

enum Method {
    Append,
    Vote,
    Snapshot,
}

impl Method {
    fn action(&self) -> RPCTypes {
        match self {
            Method::Append => RPCTypes::AppendEntries,
            Method::Vote => RPCTypes::Vote,
            Method::Snapshot => RPCTypes::InstallSnapshot,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Method::Append => "append",
            Method::Vote => "vote",
            Method::Snapshot => "snapshot",
        }
    }
}

fn unreachable(error: &(impl std::error::Error + 'static)) -> RpcError {
    RPCError::Unreachable(Unreachable::new(error))
}

impl Link {
    fn addr(&self) -> String {
        let known = self.network.known.borrow();
        known.addresses.get(&self.target).unwrap_or(&self.addr).clone()
    }

    async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        request: &Q,
        limit: Duration,
    ) -> Result<A, RpcError> {
        let message = encode(request).map_err(|error| unreachable(&error))?;
        let (to, kind, size_bytes) = (NodeId(self.target), method.name(), message.len());
        self.network.probe.event(Event::Sent { to, kind, size_bytes });
        let envelope =
            Envelope { cluster: self.network.cluster.to_string(), message: message.into(), to: self.target };
        let addr = self.addr();
        let action = method.action();
        let called = self.network.channels.call(&addr, limit, |channel| async move {
            let mut client = RaftClient::new(channel)
                .max_decoding_message_size(super::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(super::MAX_MESSAGE_BYTES);
            match method {
                Method::Append => client.append_entries(envelope).await,
                Method::Vote => client.vote(envelope).await,
                Method::Snapshot => client.install_snapshot(envelope).await,
            }
        });
        match called.await {
            Ok(answer) => decode(&answer.message).map_err(|error| unreachable(&error)),
            Err(CallError::TimedOut { limit, .. }) => Err(RPCError::Timeout(Timeout {
                action,
                id: self.network.me.0,
                target: self.target,
                timeout: limit,
            })),
            Err(error) => Err(unreachable(&error)),
        }
    }
}

impl RaftNetwork<TypeConfig> for Link {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RpcError> {
        if !is_contiguous(&request) {
            let text = "entries do not follow the previous log id: not sent";
            return Err(unreachable(&std::io::Error::new(std::io::ErrorKind::InvalidData, text)));
        }
        self.call(Method::Append, &request, option.hard_ttl()).await
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, RpcError> {
        self.call(Method::Vote, &request, option.hard_ttl()).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<TypeConfig, Fatal<u64>>> {
        let data = String::from_utf8(snapshot.snapshot.into_inner())
            .map_err(|error| StreamingError::Unreachable(Unreachable::new(&error)))?;
        let message = SnapshotMessage { vote, meta: snapshot.meta, data };
        self.call(Method::Snapshot, &message, option.hard_ttl()).await.map_err(|error| match error {
            RPCError::Timeout(timeout) => StreamingError::Timeout(timeout),
            RPCError::Unreachable(error) => StreamingError::Unreachable(error),
            other => StreamingError::Unreachable(Unreachable::new(&other)),
        })
    }
}
