//! How a node comes up: identity, sockets, Raft, then one life after the other.
//!
//! ```text
//! bind sockets -> who am I (data directory, or join) -> count the boot, durably -> start Raft
//!   -> gRPC and HTTP are up -> life: found or announce the incarnation -> serve
//! ```
//! Nothing is served before the state that has this incarnation is applied here.

mod error;
mod joining;
mod ports;

pub use error::BootError;

use crate::{
    access::Access,
    config::{MOST_ROUND_TRIP_MS, NodeConfig},
    front, grpc, http,
    identity::Identity,
    io::Io,
    life::Lives,
    node::{Node, Status},
    supervisor::{Desk, Supervisor},
    tls::Tls,
    tunables::Tunables,
};
use ports::Ports;
use predis_raft::{Channels, MetaRaft, Options};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How many metadata log entries go into a snapshot.
const SNAPSHOT_EVERY: u64 = 1000;

/// What of a node ends with an error when it cannot go on.
type Tasks = JoinSet<Result<(), String>>;

/// Brings a node up. It goes on coming up in the background: see [`Node::ready`].
///
/// # Errors
/// See [`BootError`].
pub async fn boot(mut config: NodeConfig, mut io: Io) -> Result<Node, BootError> {
    let access = Arc::new(Access::new(io.clock.clone(), config.exposed));
    let load = |tls| Tls::load(tls, io.clock.clone(), access.clone());
    let tls = config.tls.clone().map(load).transpose()?;
    if let Some(tls) = &tls {
        io.connector = tls.connector(io.connector);
    }
    let Ports { resp, proxy, grpc, metrics, addrs } = Ports::bind(&config, &io, tls.as_ref()).await?;
    // How far the members are is known once one of them has answered.
    let farthest = config.profile.over(Duration::from_millis(MOST_ROUND_TRIP_MS.into()));
    let channels = Channels::new(io.connector.clone()).connect_within(farthest.raft.connect);
    // Until the node belongs to a cluster, clients are told so instead of waiting.
    let mut identity = tokio::select! {
        identity = joining::identify(&config, &addrs, &io, &channels) => identity?,
        never = front::refuse_all(&resp, proxy.as_ref()) => match never {},
    };
    config.profile = config.profile.over(Duration::from_millis(identity.round_trip_ms.into()));
    let incarnation = identity.boot(io.disk.as_ref()).await?;
    tracing::info!(node = %identity.node, cluster = %identity.cluster, %incarnation, "booting");

    let meta = start_raft(&config, &identity, &io).await?;
    access.update(&meta.published());
    let desk = Arc::new(Desk::new(meta.clone(), io.clock.clone(), config.profile.lease));
    let (stop, stopped) = watch::channel(false);
    let tunables = Tunables::new(&config);
    let status = Arc::new(Status::new(identity.node, meta.clone(), tls, tunables));
    let mut tasks = Tasks::new();
    let shared = grpc::Shared {
        node: identity.node,
        meta: meta.clone(),
        access: access.clone(),
        desk: desk.clone(),
        status: status.clone(),
        clock: io.clock.clone(),
        limit: config.profile.propose,
        round_trip_ms: identity.round_trip_ms,
        members_only: config.tls.is_some(),
    };
    let serving = grpc::serve(shared, grpc, stopped.clone());
    tasks.spawn(async move { serving.await.map_err(|error| format!("gRPC: {error}")) });
    tasks.spawn(quietly(http::serve(status.clone(), metrics, stopped.clone())));
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
        resp,
        proxy,
        status: status.clone(),
        stop: stopped,
    };
    let mut living = JoinSet::new();
    living.spawn(lives.run(incarnation));
    let failing = meta.clone();
    tasks.spawn(async move { Err(format!("raft: {}", failing.failed().await)) });
    Ok(Node::new(addrs, meta, status, stop, living, tasks))
}

async fn start_raft(config: &NodeConfig, identity: &Identity, io: &Io) -> Result<MetaRaft, BootError> {
    let options = Options {
        cluster: identity.cluster,
        node: identity.node,
        timing: config.profile.raft,
        snapshot_every: SNAPSHOT_EVERY,
        disk: io.disk.clone(),
        connector: io.connector.clone(),
        probe: io.probe.clone(),
        seeds: identity.peers.clone(),
    };
    MetaRaft::start(options).await.map_err(|error| BootError::Raft(Box::new(error)))
}

async fn quietly(work: impl Future<Output = ()>) -> Result<(), String> {
    work.await;
    Ok(())
}
