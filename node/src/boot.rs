//! How a node comes up: identity, sockets, Raft, then one life after the other.
//!
//! ```text
//! bind sockets -> who am I (data directory, or join) -> count the boot, durably -> start Raft
//!   -> gRPC and HTTP are up -> life: found or announce the incarnation -> serve
//! ```
//! Nothing is served before the state that has this incarnation is applied here.

use crate::{
    access::Access,
    config::{NodeConfig, Start},
    front,
    grpc::{self, describe, is_refusal, join_through},
    http,
    identity::Identity,
    io::{Io, Listener},
    life::{Lives, SharedListener},
    node::{Node, Status},
    supervisor::{Desk, Supervisor},
    tls::{Port, Tls, TlsError},
};
use predis_meta::Addresses;
use predis_proto::node::{IdentifyRequest, node_client::NodeClient};
use predis_raft::{CallError, Channels, MetaRaft, Options, StartError};
use predis_types::{ClusterId, NodeId};
use std::{collections::BTreeMap, io as stdio, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How many metadata log entries go into a snapshot.
const SNAPSHOT_EVERY: u64 = 1000;

/// How long a joining node looks for a member that takes it in.
const JOIN_LIMIT: Duration = Duration::from_secs(60);

/// How long one member is given to answer a request to join.
const JOIN_CALL_LIMIT: Duration = Duration::from_secs(3);

/// Why a node did not come up.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// An address cannot be listened on.
    #[error("{what} cannot listen on {addr}")]
    Bind {
        /// Which port.
        what: &'static str,
        /// Which address.
        addr: String,
        /// What the operating system said.
        source: stdio::Error,
    },
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory cannot be read or written.
    #[error("the data directory cannot be read or written")]
    Data(#[from] stdio::Error),
    /// Founding was asked for in a directory that has a cluster.
    #[error(
        "the data directory belongs to node {node} of cluster {cluster}: start it without --bootstrap, or use \
         an empty directory"
    )]
    AlreadyMember {
        /// Whose directory it is.
        node: NodeId,
        /// Of which cluster.
        cluster: ClusterId,
    },
    /// Joining was asked for in a directory of another cluster.
    #[error(
        "{addr} is of cluster {theirs}, the data directory belongs to node {node} of cluster {ours}: a node \
         never changes its cluster"
    )]
    OtherCluster {
        /// Who was asked.
        addr: String,
        /// Its cluster.
        theirs: String,
        /// The directory's node.
        node: NodeId,
        /// The directory's cluster.
        ours: ClusterId,
    },
    /// The directory is empty and nothing says where to belong.
    #[error("the data directory is empty: found a cluster with --bootstrap or name a member with --join")]
    NoCluster,
    /// A member refused the node.
    #[error("{addr} refused: {reason}")]
    Refused {
        /// Who refused.
        addr: String,
        /// Why.
        reason: String,
    },
    /// No member took the node in.
    #[error("no member of the cluster could be joined within {limit:?}; the last answer: {last}")]
    JoinTimedOut {
        /// The time limit.
        limit: Duration,
        /// What went wrong last.
        last: String,
    },
    /// A member answered with nonsense.
    #[error("{addr} answered with a cluster id that is none: {text:?}")]
    BadAnswer {
        /// Who answered.
        addr: String,
        /// With what.
        text: String,
    },
    /// Raft could not start.
    #[error(transparent)]
    Raft(Box<StartError>),
}

/// Brings a node up. It goes on coming up in the background: see [`Node::ready`].
///
/// # Errors
/// See [`BootError`].
pub async fn boot(config: NodeConfig, mut io: Io) -> Result<Node, BootError> {
    let access = Arc::new(Access::new(io.clock.clone()));
    let load = |tls| Tls::load(tls, io.clock.clone(), access.clone());
    let tls = config.tls.clone().map(load).transpose()?;
    if let Some(tls) = &tls {
        io.connector = tls.connector(io.connector);
    }
    let listeners = Listeners::bind(&config, &io, tls.as_ref()).await?;
    let addrs = listeners.addresses(&config)?;
    let channels = Channels::new(io.connector.clone());
    let listener = SharedListener::new(listeners.resp)?;
    let identifying = async {
        match Identity::load(io.disk.as_ref())? {
            Some(identity) => known(&config, identity, &channels).await,
            None => new(&config, &addrs, &io, &channels).await,
        }
    };
    // Until the node belongs to a cluster, clients are told so instead of waiting.
    let mut identity = tokio::select! {
        identity = identifying => identity?,
        never = front::refuse_all(Box::new(listener.clone())) => match never {},
    };
    let incarnation = identity.boot(io.disk.as_ref()).await?;
    tracing::info!(node = %identity.node, cluster = %identity.cluster, %incarnation, "booting");

    let meta = MetaRaft::start(Options {
        cluster: identity.cluster,
        node: identity.node,
        timing: config.profile.raft,
        snapshot_every: SNAPSHOT_EVERY,
        disk: io.disk.clone(),
        connector: io.connector.clone(),
        probe: io.probe.clone(),
        seeds: identity.peers.clone(),
    })
    .await
    .map_err(|error| BootError::Raft(Box::new(error)))?;
    let desk = Arc::new(Desk::new(meta.clone(), io.clock.clone(), config.profile.lease));
    access.update(&meta.published());
    let (stop, stopped) = watch::channel(false);
    let status = Arc::new(Status::new(identity.node, meta.clone(), tls));
    let mut tasks = JoinSet::new();

    let shared = grpc::Shared {
        node: identity.node,
        meta: meta.clone(),
        access: access.clone(),
        desk: desk.clone(),
        clock: io.clock.clone(),
        limit: config.profile.propose,
        members_only: config.tls.is_some(),
    };
    let serving = grpc::serve(shared, listeners.grpc, stopped.clone());
    tasks.spawn(async move { serving.await.map_err(|error| format!("gRPC: {error}")) });
    tasks.spawn(quietly(http::serve(status.clone(), listeners.metrics, stopped.clone())));
    let supervisor = Supervisor::new(meta.clone(), desk.clone(), io.clock.clone(), config.profile);
    tasks.spawn(quietly(supervisor.run()));
    tasks.spawn(quietly(desk.clone().watch_time()));
    tasks.spawn(quietly(access.clone().follow(meta.watch())));
    let lives = Lives {
        config,
        identity,
        addrs: addrs.clone(),
        meta: meta.clone(),
        access,
        desk,
        io,
        listener,
        status: status.clone(),
        stop: stopped,
    };
    let mut living = JoinSet::new();
    living.spawn(lives.run(incarnation));
    let failing = meta.clone();
    tasks.spawn(async move { Err(format!("raft: {}", failing.failed().await)) });
    Ok(Node::new(addrs, meta, status, stop, living, tasks))
}

async fn quietly(work: impl Future<Output = ()>) -> Result<(), String> {
    work.await;
    Ok(())
}

struct Listeners {
    resp: Box<dyn Listener>,
    grpc: Box<dyn Listener>,
    metrics: Box<dyn Listener>,
}

impl Listeners {
    async fn bind(config: &NodeConfig, io: &Io, tls: Option<&Arc<Tls>>) -> Result<Listeners, BootError> {
        let bind = async |what: &'static str, port: Port, addr: &str| {
            let bound = io.binder.bind(addr).await;
            let bound = bound.map_err(|source| BootError::Bind { what, addr: addr.to_owned(), source })?;
            Ok::<_, BootError>(match tls {
                Some(tls) => tls.listener(port, bound),
                None => bound,
            })
        };
        Ok(Listeners {
            resp: bind("RESP", Port::Resp, &config.listen).await?,
            grpc: bind("gRPC", Port::Grpc, &config.grpc).await?,
            metrics: bind("metrics", Port::Metrics, &config.metrics).await?,
        })
    }

    /// As others should dial them: the advertised host, or the one listened on, with the port bound.
    fn addresses(&self, config: &NodeConfig) -> Result<Addresses, BootError> {
        let advertised = |asked: &str, listener: &dyn Listener| -> stdio::Result<String> {
            let host = asked.rsplit_once(':').map_or(asked, |(host, _)| host);
            let host = config.advertise.as_deref().unwrap_or(host);
            Ok(format!("{host}:{}", listener.local_addr()?.port()))
        };
        Ok(Addresses {
            resp: advertised(&config.listen, self.resp.as_ref())?,
            grpc: advertised(&config.grpc, self.grpc.as_ref())?,
            metrics: advertised(&config.metrics, self.metrics.as_ref())?,
        })
    }
}

/// A node whose data directory says who it is.
async fn known(config: &NodeConfig, identity: Identity, channels: &Channels) -> Result<Identity, BootError> {
    match &config.start {
        Start::Resume => {}
        Start::Bootstrap(_) => {
            return Err(BootError::AlreadyMember { node: identity.node, cluster: identity.cluster });
        }
        Start::Join(seeds) => {
            for addr in seeds {
                let called = channels.call(addr, JOIN_CALL_LIMIT, |channel| async move {
                    NodeClient::new(channel).identify(IdentifyRequest {}).await
                });
                // A seed that does not answer says nothing against going on.
                if let Ok(answer) = called.await
                    && answer.cluster != identity.cluster.to_string()
                {
                    return Err(BootError::OtherCluster {
                        addr: addr.clone(),
                        theirs: answer.cluster,
                        node: identity.node,
                        ours: identity.cluster,
                    });
                }
            }
        }
    }
    Ok(identity)
}

/// A node that belongs to no cluster yet.
async fn new(
    config: &NodeConfig,
    addrs: &Addresses,
    io: &Io,
    channels: &Channels,
) -> Result<Identity, BootError> {
    match &config.start {
        Start::Resume => Err(BootError::NoCluster),
        Start::Bootstrap(founding) => {
            let word = || io.random();
            let cluster = ClusterId(u128::from(word()) << 64 | u128::from(word()));
            let hash_key = [word(), word()];
            Ok(Identity::founder(cluster, founding, hash_key))
        }
        Start::Join(seeds) => {
            let joining = join(config, addrs, seeds, channels);
            let mut last = "none was tried".to_owned();
            let joined = tokio::time::timeout(JOIN_LIMIT, joining(&mut last)).await;
            joined.unwrap_or(Err(BootError::JoinTimedOut { limit: JOIN_LIMIT, last }))
        }
    }
}

/// Asks one seed after the other until one takes the node in or refuses it.
fn join<'a>(
    config: &'a NodeConfig,
    addrs: &'a Addresses,
    seeds: &'a [String],
    channels: &'a Channels,
) -> impl AsyncFnOnce(&mut String) -> Result<Identity, BootError> + 'a {
    async move |last: &mut String| {
        let request = describe(&config.name, addrs, &config.zone, &config.region, config.weight);
        let mut pause = Duration::from_millis(50);
        loop {
            for addr in seeds {
                match join_through(channels, addr, request.clone(), JOIN_CALL_LIMIT).await {
                    Ok(reply) => {
                        let cluster = reply.cluster.parse().map_err(|_| BootError::BadAnswer {
                            addr: addr.clone(),
                            text: reply.cluster.clone(),
                        })?;
                        let peers: BTreeMap<u64, String> =
                            reply.members.into_iter().map(|peer| (peer.node_id, peer.grpc_addr)).collect();
                        return Ok(Identity::joined(cluster, NodeId(reply.node_id), peers));
                    }
                    Err(CallError::Failed { status, .. }) if is_refusal(&status) => {
                        let reason = status.message().to_owned();
                        return Err(BootError::Refused { addr: addr.clone(), reason });
                    }
                    Err(error) => {
                        *last = error.to_string();
                        tracing::info!(%addr, %error, "not joined yet");
                    }
                }
            }
            // There is no event for a stranger's coming up.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}
