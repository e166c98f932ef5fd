//! The replicated metadata as the rest of a node uses it: propose, read, follow, and change who votes.
//!
//! A proposal goes to whoever leads; an answer that never came is `Unknown`, never a guess. Knows nothing of
//! shards, leases or placement.

mod leader;

pub(crate) use leader::Step;

use crate::{
    error::{ProposeError, StartError},
    log_store::LogStore,
    options::Options,
    state_machine::{Published, StateMachine},
    transport::{Channels, MAX_MESSAGE_BYTES, Network, Service},
    types::{Proposal, Raft, Response},
};
use openraft::{BasicNode, ChangeMembers, ServerState};
use predis_meta::{MetaCommand, Outcome};
use predis_proto::raft::raft_server::RaftServer;
use predis_types::{
    ClusterId, NodeId,
    planted::{self, Bug},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::watch;

/// A command that the cluster has agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Its place in the log.
    pub index: u64,
    /// What applying it gave.
    pub outcome: Outcome,
}

/// Who leads, as this member sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    /// The leader, when one is known.
    pub leader: Option<NodeId>,
    /// The term.
    pub term: u64,
    /// Whether it is this member.
    pub is_me: bool,
}

/// One member of the metadata group; clones share it.
#[derive(Clone)]
pub struct MetaRaft {
    raft: Raft,
    node: NodeId,
    cluster: ClusterId,
    published: watch::Receiver<Published>,
    channels: Arc<Channels>,
    seeds: Arc<BTreeMap<u64, String>>,
}

impl MetaRaft {
    /// Starts the member from what its disk holds.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: Options) -> Result<MetaRaft, StartError> {
        let log = LogStore::new(options.node, options.disk.clone(), options.probe.clone());
        let led = log.led()?;
        let machine = StateMachine::open(options.node, options.disk.clone(), options.probe.clone())?;
        let published = machine.watch();
        let channels =
            Arc::new(Channels::new(options.connector.clone()).connect_within(options.timing.connect));
        let network = Network {
            me: options.node,
            cluster: options.cluster,
            channels: channels.clone(),
            known: published.clone(),
            probe: options.probe.clone(),
        };
        let config = Arc::new(options.config()?);
        let raft = Raft::new(options.node.0, config, network, log, machine).await?;
        if led {
            // The others may still wait for it, and one that votes alone need not wait for anybody.
            raft.trigger().elect().await?;
        }
        Ok(MetaRaft {
            raft,
            node: options.node,
            cluster: options.cluster,
            published,
            channels,
            seeds: Arc::new(options.seeds),
        })
    }

    /// Makes this member the only voter of a new group, unless it already belongs to one.
    ///
    /// # Errors
    /// When the member stopped or the change cannot be stored.
    pub async fn initialize(&self, grpc_addr: &str) -> Result<(), ProposeError> {
        if self.raft.is_initialized().await.map_err(ProposeError::from_fatal)? {
            return Ok(());
        }
        let members = BTreeMap::from([(self.node.0, BasicNode::new(grpc_addr))]);
        self.raft.initialize(members).await.map_err(|error| ProposeError::Unavailable(error.to_string()))
    }

    /// The gRPC service through which the other members reach this one.
    pub fn service(&self) -> RaftServer<impl predis_proto::raft::raft_server::Raft> {
        let service = Service {
            raft: self.raft.clone(),
            metadata: self.clone(),
            cluster: self.cluster.to_string(),
            node: self.node.0,
        };
        RaftServer::new(service)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
    }

    /// Which member it is.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// This member's copy of the metadata, which may lag.
    pub fn published(&self) -> Published {
        self.published.borrow().clone()
    }

    /// Follows this member's copy of the metadata.
    pub fn watch(&self) -> watch::Receiver<Published> {
        self.published.clone()
    }

    /// The channels to the other members, for other services on the same port.
    pub fn channels(&self) -> &Arc<Channels> {
        &self.channels
    }

    /// Who leads, as this member sees it.
    pub fn leadership(&self) -> Leadership {
        leadership(&self.raft.metrics().borrow())
    }

    /// Calls back to wait for a change of leadership: resolves when it differs from `seen`.
    pub async fn leadership_changed(&self, seen: Leadership) -> Leadership {
        let mut metrics = self.raft.metrics();
        loop {
            let now = leadership(&metrics.borrow_and_update());
            if now != seen {
                return now;
            }
            if metrics.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The address of a member's gRPC, from the metadata or, before it is known, from the seeds.
    pub fn address(&self, node: NodeId) -> Option<String> {
        let known = self.published.borrow().addresses.get(&node.0).cloned();
        known.or_else(|| self.seeds.get(&node.0).cloned())
    }

    /// How far a member's log is known to reach, while this one leads.
    pub fn replicated(&self, node: NodeId) -> Option<u64> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        metrics.replication.as_ref()?.get(&node.0)?.map(|id| id.index)
    }

    /// The ids that vote, and all that Raft knows.
    pub fn members(&self) -> (BTreeSet<NodeId>, BTreeSet<NodeId>) {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let membership = metrics.membership_config.membership();
        let voters = membership.voter_ids().map(NodeId).collect();
        (voters, membership.nodes().map(|(id, _)| NodeId(*id)).collect())
    }

    /// Whether a change of the voters is half done: both the old and the new ones must agree until it is finished
    /// by another [`MetaRaft::set_voters`].
    pub fn is_joint(&self) -> bool {
        self.raft.metrics().borrow().membership_config.membership().get_joint_config().len() > 1
    }

    /// Has this leader say nothing for so long, so that the voters elect another one; ends early when it hears of one.
    /// Whether it did. Meanwhile nobody may ask it for a majority round or a proposal: those tell the voters that it
    /// is still there.
    pub async fn let_others_lead(&self, limit: Duration) -> bool {
        let seen = self.leadership();
        let silence = Silence::begin(&self.raft);
        let changed = tokio::time::timeout(limit, self.leadership_changed(seen)).await.is_ok();
        drop(silence);
        changed
    }

    /// Gets a command agreed on by the cluster, wherever the leader is, and waits until this member has applied
    /// it too. It is written so that every member can read it: see [`predis_meta::ClusterState::level`].
    ///
    /// # Errors
    /// See [`ProposeError`]: only `Unavailable` is safe to repeat blindly.
    pub async fn propose(&self, command: &MetaCommand, limit: Duration) -> Result<Agreed, ProposeError> {
        let proposal = Proposal { command: leader::encode(command, &self.published())?, term: None };
        let work = async {
            let (index, response) = self.propose_anywhere(proposal, limit).await?;
            self.agreed(index, response).await
        };
        let elapsed = |_| ProposeError::Unknown(format!("no answer within {limit:?}"));
        tokio::time::timeout(limit, work).await.map_err(elapsed)?
    }

    /// Gets a command agreed on, but only if this member leads in `term` and the entry belongs to it: for what a
    /// leader decides by what it alone knows.
    ///
    /// # Errors
    /// `Unavailable` when the term is over: then nothing was and nothing will be done.
    pub async fn propose_in_term(
        &self,
        command: &MetaCommand,
        term: u64,
        limit: Duration,
    ) -> Result<Agreed, ProposeError> {
        let command = leader::encode(command, &self.published())?;
        let proposal = Proposal { command, term: Some(term) };
        let work = async {
            match self.propose_here(proposal).await? {
                Step::Done((index, response)) => self.agreed(index, response).await,
                Step::NotLeader(leader) => {
                    Err(ProposeError::Unavailable(format!("the leader is {leader:?}")))
                }
            }
        };
        let elapsed = |_| ProposeError::Unknown(format!("no answer within {limit:?}"));
        tokio::time::timeout(limit, work).await.map_err(elapsed)?
    }

    /// The answer to a proposal, once this member has applied it too.
    async fn agreed(&self, index: u64, response: Response) -> Result<Agreed, ProposeError> {
        self.applied(index).await?;
        match response {
            Response::Applied(result) => Ok(Agreed { index, outcome: result? }),
            Response::Stale => Err(ProposeError::Unavailable("the term is over".into())),
            Response::Internal => Err(ProposeError::Unknown(format!("entry {index} is not a command"))),
        }
    }

    /// The metadata as of now: everything agreed on before the call is in it.
    ///
    /// # Errors
    /// `Unavailable` when no leader confirmed itself in time.
    pub async fn read(&self, limit: Duration) -> Result<Published, ProposeError> {
        if planted::active(Bug::ReadWithoutQuorum) {
            return Ok(self.published());
        }
        let work = async {
            let index = self.read_index_anywhere(limit).await?;
            self.applied(index).await
        };
        let elapsed = |_| ProposeError::Unavailable(format!("no answer within {limit:?}"));
        tokio::time::timeout(limit, work).await.map_err(elapsed)?
    }

    /// Confirms with a majority that this member leads, by a round that begins after the call, and waits until
    /// everything committed before that round is applied here.
    ///
    /// # Errors
    /// `Unavailable` when it does not lead or cannot tell.
    pub async fn confirm_leadership(&self) -> Result<Published, ProposeError> {
        match self.read_index_here().await? {
            Step::Done(index) => self.applied(index).await,
            Step::NotLeader(leader) => Err(ProposeError::Unavailable(format!("the leader is {leader:?}"))),
        }
    }

    /// Lets a node follow the log without a vote. Repeating it is harmless.
    ///
    /// # Errors
    /// `Unavailable` when this member does not lead.
    pub async fn add_learner(&self, node: NodeId, grpc_addr: &str) -> Result<(), ProposeError> {
        let added = self.raft.add_learner(node.0, BasicNode::new(grpc_addr), false).await;
        added.map(|_| ()).map_err(|error| ProposeError::Unavailable(error.to_string()))
    }

    /// Makes exactly these members vote; the others go on as learners.
    ///
    /// # Errors
    /// `Unavailable` when this member does not lead or another change is under way.
    pub async fn set_voters(&self, voters: &BTreeSet<NodeId>) -> Result<(), ProposeError> {
        let ids: BTreeSet<u64> = voters.iter().map(|node| node.0).collect();
        let changed = self.raft.change_membership(ids, true).await;
        changed.map(|_| ()).map_err(|error| ProposeError::Unavailable(error.to_string()))
    }

    /// Stops replicating to a member that is no longer of the cluster. It must not be a voter. A leader that does
    /// this to itself steps down once it is agreed on, and must change no membership any more.
    ///
    /// # Errors
    /// `Unavailable` when this member does not lead or another change is under way.
    pub async fn remove_learner(&self, node: NodeId) -> Result<(), ProposeError> {
        let change = ChangeMembers::RemoveNodes(BTreeSet::from([node.0]));
        let changed = self.raft.change_membership(change, true).await;
        changed.map(|_| ()).map_err(|error| ProposeError::Unavailable(error.to_string()))
    }

    /// Resolves when Raft has stopped by itself, with the reason: the member must not go on.
    pub async fn failed(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_and_update().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "raft stopped".to_owned();
            }
        }
    }

    /// Stops the member.
    pub async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "raft did not stop cleanly");
        }
    }

    /// Waits until this member has applied the log up to `index`.
    async fn applied(&self, index: u64) -> Result<Published, ProposeError> {
        let mut published = self.published.clone();
        let seen = published.wait_for(|published| published.index >= index).await;
        seen.map(|published| published.clone()).map_err(|_| ProposeError::Unknown("raft stopped".into()))
    }
}

/// No heartbeats while it lives, whoever stops waiting for what.
struct Silence<'a>(&'a Raft);

impl Silence<'_> {
    fn begin(raft: &Raft) -> Silence<'_> {
        raft.runtime_config().heartbeat(false);
        Silence(raft)
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        self.0.runtime_config().heartbeat(true);
    }
}

fn leadership(metrics: &openraft::RaftMetrics<u64, BasicNode>) -> Leadership {
    Leadership {
        leader: metrics.current_leader.map(NodeId),
        term: metrics.current_term,
        is_me: metrics.state == ServerState::Leader,
    }
}
