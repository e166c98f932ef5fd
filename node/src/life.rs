//! One incarnation after the other, until the node stops.
//!
//! A life ends when the cluster has judged this incarnation dead: everything it held is dropped, the boot
//! counter is moved on, and the node announces itself anew. Raft and the sockets stay.

use crate::{
    access::{self, Access, REQUIRE_AUTH},
    agent::{self, LeaseAgent},
    config::NodeConfig,
    front::{self, Door, Front, Tracking, TrackingSink},
    identity::{Founded, Identity},
    io::{Incoming, Io, Listener},
    lease::Lease,
    node::{Running, Status},
    replication,
    serving::{Parts, Serving},
    shards::{Shards, ShardsConfig},
    supervisor::Desk,
    topology,
};
use predis_meta::{
    Action, Addresses, ClusterInfo, MetaCommand, NewMember, NewTenant, NewToken, NewUser, TenantPlacement,
    TenantSettings, UserRole, VERSION,
};
use predis_raft::{MetaRaft, Pending, ProposeError, Published};
use predis_replica::Life;
use predis_types::{Incarnation, NodeId, Rng, SplitMix64, TenantId};
use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

/// Why a node that others can reach does not go on in a cluster that lets everybody in.
const OPEN: &str = "a port is beyond loopback, and the cluster lets everybody in: have it require authentication \
                    (`predis ctl config set require-auth yes`, once there is an admin), listen on loopback, or pass \
                    --insecure if the network is yours alone";

/// How long to wait for a change of leadership before a proposal is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// A listener that one life after the other accepts from.
#[derive(Clone)]
pub struct SharedListener {
    addr: SocketAddr,
    inner: Arc<tokio::sync::Mutex<Box<dyn Listener>>>,
}

impl SharedListener {
    /// Shares a listener.
    ///
    /// # Errors
    /// When it does not know its address.
    pub fn new(listener: Box<dyn Listener>) -> io::Result<SharedListener> {
        let addr = listener.local_addr()?;
        Ok(SharedListener { addr, inner: Arc::new(tokio::sync::Mutex::new(listener)) })
    }
}

impl Listener for SharedListener {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        Box::pin(async { self.inner.lock().await.accept().await })
    }
}

/// What all lives of a node share.
pub struct Lives {
    /// What it was told.
    pub config: NodeConfig,
    /// Who it is.
    pub identity: Identity,
    /// Where it is reached.
    pub addrs: Addresses,
    /// The agreed metadata.
    pub meta: MetaRaft,
    /// Who is who.
    pub access: Arc<Access>,
    /// Where leases are granted while it leads.
    pub desk: Arc<Desk>,
    /// The world.
    pub io: Io,
    /// Where clients come in that know where keys live.
    pub resp: SharedListener,
    /// Where those come in that do not.
    pub proxy: Option<SharedListener>,
    /// How far it has come.
    pub status: Arc<Status>,
    /// Turns true when the node stops.
    pub stop: watch::Receiver<bool>,
}

/// How a node's lives ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was told to stop.
    Stopped,
    /// It is no member any more.
    Left,
}

impl Lives {
    /// Lives until the node stops or has left the cluster; an error is a reason not to go on.
    pub async fn run(mut self, mut incarnation: Incarnation) -> Result<End, String> {
        let first = incarnation;
        let mut stop = self.stop.clone();
        loop {
            let serving = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(End::Stopped),
                begun = self.begin(incarnation) => begun?,
                never = front::refuse_all(&self.resp, self.proxy.as_ref()) => match never {},
            };
            let Some(serving) = serving else {
                self.leave().await?;
                if incarnation > first {
                    return Ok(End::Left);
                }
                let node = self.identity.node;
                return Err(format!("node {node} is no member any more: it left, or was forgotten"));
            };
            if self.live(serving).await? {
                return Ok(End::Stopped);
            }
            if current(&self.meta.published(), self.identity.node).is_none() {
                self.leave().await?;
                return Ok(End::Left);
            }
            let boot = self.identity.boot(self.io.disk.as_ref()).await;
            incarnation = boot.map_err(|error| format!("data directory: {error}"))?;
            tracing::warn!(%incarnation, "the cluster took this node to be dead: it begins anew, empty");
        }
    }

    /// Notes that the node is a member no more: the next start says so, instead of knocking in vain.
    async fn leave(&mut self) -> Result<(), String> {
        self.status.doing("having left the cluster");
        let left = self.identity.leave(self.io.disk.as_ref()).await;
        left.map_err(|error| format!("data directory: {error}"))
    }

    /// Comes to be a member in this incarnation, as the state applied here says; `None` when that has the node no
    /// more.
    async fn begin(&self, incarnation: Incarnation) -> Result<Option<Arc<Serving>>, String> {
        if let Some(founded) = self.identity.founded.clone() {
            self.status.doing("founding the cluster");
            self.found(&founded, incarnation).await?;
        }
        self.status.doing("announcing itself to the cluster");
        let Some(published) = self.announce(incarnation).await? else { return Ok(None) };
        self.access.update(&published);
        if self.config.exposed && !access::is_required(&published.state) {
            return Err(OPEN.to_owned());
        }
        let identity = Life { node: self.identity.node, incarnation };
        let serving = self.serving(identity, &published)?;
        agent::apply(&serving, &published);
        Ok(Some(serving))
    }

    /// One life; returns when it is over, with whether the node stops.
    async fn live(&self, serving: Arc<Serving>) -> Result<bool, String> {
        let incarnation = serving.identity.incarnation;
        let front = Front::new(serving.clone());
        let (moves, wanted) = mpsc::unbounded_channel();
        let mut agents = JoinSet::new();
        let lease = LeaseAgent {
            serving: serving.clone(),
            desk: self.desk.clone(),
            config: self.config.profile.lease,
            moves,
            probe: self.io.probe.clone(),
        };
        agents.spawn(async move { agent::hold_lease(lease).await.to_string() });
        agents.spawn(agent::follow(serving.clone()));
        agents.spawn(agent::give_away(serving.clone(), wanted));
        agents.spawn(replication::send(serving.clone()));
        agents.spawn(replication::keep_in_sync(serving.clone()));
        agents.spawn(agent::expire(serving.clone()));
        agents.spawn(agent::budget(serving.clone()));
        let (over, life) = watch::channel(false);
        let mut accepting = JoinSet::new();
        accepting.spawn(front.clone().serve(Door::Resp, Box::new(self.resp.clone()), life.clone()));
        if let Some(proxy) = &self.proxy {
            accepting.spawn(front.clone().serve(Door::Proxy, Box::new(proxy.clone()), life));
        }
        self.status.set_running(Some(Arc::new(Running { serving: serving.clone(), front })));
        tracing::info!(%incarnation, "serving");

        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => None,
            reason = agents.join_next() => Some(reason),
        };
        if ended.is_some() {
            // Nothing may be acknowledged from here on, and nobody is left to renew the lease.
            agents.shutdown().await;
            serving.lease.set(0);
        }
        self.status.doing("stopping");
        self.status.set_running(None);
        // Clients get the replies that are under way, then they are disconnected.
        over.send_replace(true);
        while accepting.join_next().await.is_some() {}
        match ended {
            None => Ok(true),
            Some(Some(Err(error))) => Err(format!("a task of the node failed: {error}")),
            Some(reason) => {
                let reason = reason.and_then(Result::ok).unwrap_or_default();
                tracing::warn!(%incarnation, reason, "this incarnation is over");
                Ok(false)
            }
        }
    }

    fn serving(&self, identity: Life, published: &Published) -> Result<Arc<Serving>, String> {
        let cluster = published.state.cluster().ok_or("the cluster is not known")?;
        let clock = self.io.clock.clone();
        let lease = Arc::new(Lease::new(clock.clone()));
        let config = ShardsConfig {
            identity,
            partitions: cluster.partitions,
            hash_key: cluster.hash_key,
            memory_bytes: self.status.tunables().memory_bytes(),
            probe: self.io.probe.clone(),
            hand_over: self.config.profile.hand_over,
            stream: self.config.profile.stream,
        };
        let tracking = Tracking::new(cluster.partitions);
        let shards = Shards::new(config, clock.clone(), lease.clone(), self.rng());
        let shards = Arc::new(shards.with_sink(Box::new(TrackingSink(tracking.clone()))));
        let topology = topology::of(published).ok_or("the cluster is not known")?;
        Ok(Arc::new(Serving::new(Parts {
            identity,
            name: self.config.name.clone(),
            clock,
            lease,
            topology,
            shards,
            tracking,
            connector: self.io.connector.clone(),
            meta: self.meta.clone(),
            access: self.access.clone(),
            tunables: self.status.tunables().clone(),
            propose_limit: self.config.profile.propose,
            round_trip: self.config.profile.round_trip,
            resp_addr: self.addrs.resp.clone(),
            rng: self.rng(),
        })))
    }

    fn rng(&self) -> Box<dyn Rng> {
        Box::new(SplitMix64::new(self.io.random()))
    }

    /// Creates the cluster, if that has not happened yet.
    async fn found(&self, founded: &Founded, incarnation: Incarnation) -> Result<(), String> {
        self.meta.initialize(&self.addrs.grpc).await.map_err(|error| error.to_string())?;
        loop {
            let published = match self.meta.read(self.config.profile.propose).await {
                Ok(published) => published,
                Err(_) if self.meta.published().state.cluster().is_some() => return Ok(()),
                Err(error) => {
                    tracing::debug!(%error, "no majority yet");
                    self.pause().await;
                    continue;
                }
            };
            if published.state.cluster().is_some() {
                return Ok(());
            }
            if let Err(error) = self.propose("bootstrap", self.creation(founded, incarnation)).await {
                tracing::info!(%error, "the cluster is not created yet");
                self.pause().await;
            }
        }
    }

    fn creation(&self, founded: &Founded, incarnation: Incarnation) -> Action {
        let settings = TenantSettings::unlimited(founded.ack, &founded.policy);
        let (config, users) = founded.admin.as_deref().map(guarded).unwrap_or_default();
        Action::CreateCluster {
            info: ClusterInfo {
                id: self.identity.cluster,
                created_at_ms: self.io.clock.wall_ms(),
                partitions: founded.partitions,
                copies: founded.copies,
                hash_key: founded.hash_key,
            },
            founder: NewMember {
                id: self.identity.node,
                name: self.config.name.clone(),
                addrs: self.addrs.clone(),
                zone: self.config.zone.clone(),
                region: self.config.region.clone(),
                weight: self.config.weight,
                metadata_version: VERSION,
            },
            incarnation,
            tenant: NewTenant {
                id: TenantId(0),
                name: "default".to_owned(),
                placement: TenantPlacement::Spread,
                settings,
            },
            placement: vec![vec![self.identity.node]; usize::from(founded.partitions.get())],
            config,
            users,
        }
    }

    /// Commits this incarnation and waits until the state that has it is applied here; `None` when the node is no
    /// member any more.
    async fn announce(&self, incarnation: Incarnation) -> Result<Option<Published>, String> {
        let me = self.identity.node;
        let boot = Action::Boot {
            node: me,
            incarnation,
            addrs: self.addrs.clone(),
            zone: self.config.zone.clone(),
            region: self.config.region.clone(),
            metadata_version: VERSION,
        };
        loop {
            let published = self.meta.published();
            if current(&published, me) == Some(incarnation) {
                return Ok(Some(published));
            }
            match self.propose(&format!("node:{me}"), boot.clone()).await {
                Ok(_) => {}
                Err(ProposeError::Rejected(rejected)) => {
                    // The state that refused is applied here: it says what is wrong.
                    let published = self.meta.published();
                    match current(&published, me) {
                        None => return Ok(None),
                        Some(seen) if seen == incarnation => return Ok(Some(published)),
                        Some(seen) if seen > incarnation => {
                            return Err(format!("another process has booted as node {me} (boot {seen})"));
                        }
                        _ if rejected.may_retry() => self.pause().await,
                        _ => return Err(format!("the cluster refused this node: {rejected}")),
                    }
                }
                Err(error) => {
                    tracing::info!(%error, "not announced yet");
                    self.pause().await;
                }
            }
        }
    }

    async fn propose(&self, actor: &str, action: Action) -> Result<(), ProposeError> {
        let at_ms = self.io.clock.wall_ms();
        let command = MetaCommand { at_ms, actor: actor.to_owned(), action };
        self.meta.propose(&command, self.config.profile.propose).await.map(|_| ())
    }

    /// Until leadership changes, or a moment at most.
    async fn pause(&self) {
        let changed = self.meta.leadership_changed(self.meta.leadership());
        let _ = tokio::time::timeout(RETRY, changed).await;
    }
}

/// The settings and users of a cluster that requires authentication: one user, whose token has this digest.
fn guarded(admin: &str) -> (BTreeMap<String, String>, Vec<NewUser>) {
    let token = NewToken { id: "bootstrap".to_owned(), hash: admin.to_owned(), expires_at_ms: None };
    let user =
        NewUser { name: "admin".to_owned(), tenant: TenantId(0), role: UserRole::Admin, tokens: vec![token] };
    (BTreeMap::from([(REQUIRE_AUTH.to_owned(), "yes".to_owned())]), vec![user])
}

/// The incarnation of a node in a state, unless the node is unknown there.
fn current(published: &Published, node: NodeId) -> Option<Incarnation> {
    published.state.node(node).map(|member| member.incarnation)
}
