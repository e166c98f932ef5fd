//! What only the leader can do, here or passed on to it: commits and confirmed reads.

use super::MetaRaft;
use crate::{
    disk::MAX_VALUE_BYTES,
    error::ProposeError,
    state_machine::Published,
    types::{Proposal, Response},
};
use openraft::{
    BasicNode,
    error::{CheckIsLeaderError, ClientWriteError, ForwardToLeader, RaftError},
};
use predis_meta::{MetaCommand, NotYet, decode_command};
use predis_proto::raft::{
    ProposeRequest, ReadIndexRequest, propose_reply, raft_client::RaftClient, read_index_reply,
};
use predis_types::NodeId;
use std::time::Duration;

/// The most bytes a proposal may take in the log: an entry around it must still fit into one value of the store.
const MAX_PROPOSAL_BYTES: usize = MAX_VALUE_BYTES - 4096;

/// How many times a call is passed on before giving up on finding the leader.
const MAX_HOPS: usize = 4;

/// The result of asking this member for something that only a leader can do.
pub(crate) enum Step<T> {
    Done(T),
    NotLeader(Option<u64>),
}

impl MetaRaft {
    pub(super) async fn propose_anywhere(
        &self,
        proposal: Proposal,
        limit: Duration,
    ) -> Result<(u64, Response), ProposeError> {
        let mut leader = match self.propose_here(proposal.clone()).await? {
            Step::Done(done) => return Ok(done),
            Step::NotLeader(leader) => leader,
        };
        for _ in 0..MAX_HOPS {
            let addr = self.leader_address(leader)?;
            let request = ProposeRequest {
                cluster: self.cluster.to_string(),
                command: proposal.command.clone().into(),
            };
            let called = self
                .channels
                .call(&addr, limit, |channel| async move { RaftClient::new(channel).propose(request).await });
            let reply = called.await.map_err(|error| ProposeError::from_call(&error))?;
            match reply.result {
                Some(propose_reply::Result::Committed(committed)) => {
                    let response = serde_json::from_slice(&committed.response)
                        .map_err(|error| ProposeError::Unknown(error.to_string()))?;
                    return Ok((committed.index, response));
                }
                Some(propose_reply::Result::NotLeader(hint)) => leader = known(hint.leader),
                None => return Err(ProposeError::Unknown("an empty answer".into())),
            }
        }
        Err(ProposeError::Unavailable("the leader keeps changing".into()))
    }

    pub(super) async fn read_index_anywhere(&self, limit: Duration) -> Result<u64, ProposeError> {
        let mut leader = match self.read_index_here().await? {
            Step::Done(index) => return Ok(index),
            Step::NotLeader(leader) => leader,
        };
        for _ in 0..MAX_HOPS {
            let addr = self.leader_address(leader)?;
            let request = ReadIndexRequest { cluster: self.cluster.to_string() };
            let called = self.channels.call(&addr, limit, |channel| async move {
                RaftClient::new(channel).read_index(request).await
            });
            let reply = called.await.map_err(|error| ProposeError::Unavailable(error.to_string()))?;
            match reply.result {
                Some(read_index_reply::Result::Index(index)) => return Ok(index),
                Some(read_index_reply::Result::NotLeader(hint)) => leader = known(hint.leader),
                None => return Err(ProposeError::Unavailable("an empty answer".into())),
            }
        }
        Err(ProposeError::Unavailable("the leader keeps changing".into()))
    }

    fn leader_address(&self, leader: Option<u64>) -> Result<String, ProposeError> {
        let Some(leader) = leader.map(NodeId) else {
            return Err(ProposeError::Unavailable("no leader is known".into()));
        };
        if leader == self.node {
            return Err(ProposeError::Unavailable("this member just lost its leadership".into()));
        }
        self.address(leader)
            .ok_or_else(|| ProposeError::Unavailable(format!("the address of leader {leader} is unknown")))
    }

    /// Commits a proposal if this member leads. What some member could not read or store is refused here: in the log
    /// it would stop that member.
    pub(crate) async fn propose_here(
        &self,
        proposal: Proposal,
    ) -> Result<Step<(u64, Response)>, ProposeError> {
        let proposal = match self.readable(proposal).await? {
            Step::Done(proposal) => proposal,
            Step::NotLeader(leader) => return Ok(Step::NotLeader(leader)),
        };
        let size = serde_json::to_vec(&proposal).map_or(usize::MAX, |encoded| encoded.len());
        if size > MAX_PROPOSAL_BYTES {
            let text = format!("the command takes {size} bytes of the log, over {MAX_PROPOSAL_BYTES}");
            return Err(ProposeError::Invalid(text));
        }
        let led = self.leadership().is_me;
        match self.raft.client_write(proposal).await {
            Ok(written) => Ok(Step::Done((written.log_id.index, written.data))),
            // Whoever led may have stored the entry before it was deposed, and somebody may have a copy.
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) if led => {
                let next = forward.leader_id;
                Err(ProposeError::Unknown(format!("leadership was lost on the way, to {next:?}")))
            }
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => Ok(not_leader(&forward)),
            Err(error) => Err(ProposeError::Unknown(error.to_string())),
        }
    }

    /// The proposal in the version that every member reads, whichever one it came in.
    async fn readable(&self, proposal: Proposal) -> Result<Step<Proposal>, ProposeError> {
        let command = decode_command(proposal.command.as_bytes())
            .map_err(|error| ProposeError::Invalid(error.to_string()))?;
        let command = match encode(&command, &self.published()) {
            Ok(text) => text,
            // A new leader may have yet to apply what lets members say more.
            Err(NotYet { .. }) => match self.read_index_here().await? {
                Step::Done(index) => encode(&command, &self.applied(index).await?)?,
                Step::NotLeader(leader) => return Ok(Step::NotLeader(leader)),
            },
        };
        Ok(Step::Done(Proposal { command, ..proposal }))
    }

    /// The index that a read must see, confirmed by a majority, if this member leads.
    pub(crate) async fn read_index_here(&self) -> Result<Step<u64>, ProposeError> {
        match self.raft.get_read_log_id().await {
            Ok((read, _)) => Ok(Step::Done(read.map_or(0, |id| id.index))),
            Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward))) => {
                Ok(not_leader(&forward))
            }
            Err(error) => Err(ProposeError::Unavailable(error.to_string())),
        }
    }
}

/// A command as text, in the version that every member reads by this state.
pub(super) fn encode(command: &MetaCommand, seen: &Published) -> Result<String, NotYet> {
    let bytes = command.encode_at(seen.state.level())?;
    Ok(String::from_utf8(bytes).expect("commands are encoded as JSON"))
}

fn not_leader<T>(forward: &ForwardToLeader<u64, BasicNode>) -> Step<T> {
    Step::NotLeader(forward.leader_id)
}

fn known(leader: u64) -> Option<u64> {
    (leader != 0).then_some(leader)
}
