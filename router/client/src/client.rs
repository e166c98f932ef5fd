//! The client that programs hold: connects, carries out commands, hands out answers.
//!
//! Knows nothing of how a call finds its way.

use crate::{
    all_keys::AllKeys,
    command::Command,
    core::{Call, Core, Place},
    credentials::Credentials,
    error::CallError,
    follow::Follower,
    near::{self, Near},
    net::{Connector, Tcp},
    pieces,
    plan::{Plan, plan},
    settings::{Config, Settings},
    tls::Tls,
    upstream::Reach,
    view::View,
};
use bytes::Bytes;
use predis_resp::{Reply, find};
use predis_types::{NodeId, Rng, SplitMix64};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

/// A client of one cluster. Clones share its connections; calls made at the same time share writes.
///
/// Every call has a deadline. Calls that are under way at the same time are carried out in no particular order; a call
/// made after another one on the same key was answered is carried out after it.
///
/// ```no_run
/// # async fn example() -> Result<(), predis_client::CallError> {
/// use predis_client::{Client, Config};
///
/// let client = Client::connect(Config::new(["127.0.0.1:7379"])).await?;
/// client.set("greeting", "hello").await?;
/// assert_eq!(client.get("greeting").await?.as_deref(), Some(&b"hello"[..]));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    limit: Duration,
}

struct Inner {
    core: Arc<Core>,
    /// End with the last clone.
    _tasks: JoinSet<()>,
}

/// What a client can be put together from when somebody else knows the topology, opens the connections, or draws the
/// random numbers: a node's proxy, the simulator, a test.
pub struct Parts {
    /// The cluster, as its tenant sees it. The client follows it.
    pub view: watch::Receiver<Arc<View>>,
    /// Opens connections to RESP ports.
    pub connector: Arc<dyn Connector>,
    /// TLS, where nodes have it.
    pub tls: Option<Tls>,
    /// As whom calls are made.
    pub credentials: Credentials,
    /// How the client behaves.
    pub settings: Settings,
    /// Draws pauses; not for secrets.
    pub rng: Box<dyn Rng>,
}

impl Client {
    /// Connects to a cluster through any of its nodes, and follows its topology from then on.
    ///
    /// # Errors
    /// [`CallError::Auth`] when the cluster does not accept the client; [`CallError::Deadline`] when no node answers
    /// within the deadline of a call.
    pub async fn connect(config: Config) -> Result<Client, CallError> {
        Client::connect_with(config, Arc::new(Tcp), os_rng()).await
    }

    /// The same over connections that somebody else opens, with pauses that somebody else draws.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect_with(
        config: Config,
        connector: Arc<dyn Connector>,
        mut rng: Box<dyn Rng>,
    ) -> Result<Client, CallError> {
        let outdated = Arc::new(Notify::new());
        let own = Box::new(SplitMix64::new(rng.next_u64()));
        let mut follower = Follower::new(&config, connector.clone(), own, outdated.clone());
        let (view, stream) = follower.first(config.settings.deadline).await?;
        let (sender, view) = watch::channel(view);
        let parts = Parts {
            view,
            connector,
            tls: config.tls,
            credentials: config.credentials,
            settings: config.settings,
            rng,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(follower.run(stream, sender));
        Ok(Client::assemble(parts, outdated, tasks))
    }

    /// Puts a client together. To be called on a tokio runtime; opens nothing yet.
    pub fn with_parts(parts: Parts) -> Client {
        Client::assemble(parts, Arc::default(), JoinSet::new())
    }

    fn assemble(parts: Parts, outdated: Arc<Notify>, mut tasks: JoinSet<()>) -> Client {
        let limit = parts.settings.deadline;
        let near = parts.settings.near.map(|settings| Arc::new(Near::new(settings)));
        let reach = Reach {
            connector: parts.connector,
            tls: parts.tls,
            credentials: parts.credentials,
            settings: parts.settings,
            rng: Mutex::new(parts.rng),
            near,
            news: Notify::new(),
        };
        let view = parts.view.borrow().clone();
        let core = Arc::new(Core::new(reach, view, outdated));
        tasks.spawn(core.clone().follow(parts.view));
        Client { inner: Arc::new(Inner { core, _tasks: tasks }), limit }
    }

    /// The same client with another deadline for each call.
    pub fn with_deadline(&self, limit: Duration) -> Client {
        Client { inner: self.inner.clone(), limit }
    }

    /// The cluster as the client sees it now.
    pub fn view(&self) -> Arc<View> {
        self.inner.core.routing().view.clone()
    }

    /// Carries out any command that nodes know, wherever its keys are. MGET, MSET, DEL, UNLINK, EXISTS and TOUCH may
    /// have keys in several slots and are then not atomic; DBSIZE, FLUSHALL, FLUSHDB, KEYS, RANDOMKEY and SCAN are
    /// about the whole cluster; other commands without keys go to any node.
    ///
    /// # Errors
    /// See [`CallError`]; an error reply is [`CallError::Server`].
    pub async fn call(&self, command: &Command) -> Result<Reply, CallError> {
        self.run(&command.args()).await
    }

    /// The same with an error reply as what it is, a reply, unless the client knew what to do about it, and with a
    /// time limit of its own.
    ///
    /// # Errors
    /// See [`CallError`], of which [`CallError::Server`] does not occur.
    pub async fn call_raw(&self, args: &[Bytes], limit: Duration) -> Result<Reply, CallError> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        self.carry_out(&args, limit).await
    }

    /// Sends commands to one node, next to each other on one connection, whoever their keys belong to, and repeats
    /// nothing. The replies are what the node says, redirections included.
    ///
    /// # Errors
    /// When nothing was sent. Of what was sent, each command has an outcome of its own.
    pub async fn call_many_on(
        &self,
        node: NodeId,
        commands: &[Vec<Bytes>],
        limit: Duration,
    ) -> Result<Vec<Result<Reply, CallError>>, CallError> {
        self.inner.core.call_many_on(node, commands, limit).await
    }

    /// As if a node had known better than the view.
    #[cfg(test)]
    pub(crate) fn say_outdated(&self) {
        self.inner.core.outdated.notify_one();
    }

    /// Carries a command out within the client's deadline; an error reply is an error.
    pub(crate) async fn run(&self, args: &[&[u8]]) -> Result<Reply, CallError> {
        match self.carry_out(args, self.limit).await? {
            Reply::Error(line) => Err(CallError::Server(line.into_owned())),
            reply => Ok(reply),
        }
    }

    async fn carry_out(&self, args: &[&[u8]], limit: Duration) -> Result<Reply, CallError> {
        let core = &*self.inner.core;
        let routing = core.routing();
        let planned = plan(args, &routing.view)?;
        let _forgets = core.reach.near.as_ref().and_then(|near| match &planned {
            Plan::Whole(spec, _) | Plan::Pieces(spec) => Some(near.forget_after(spec, args)),
            Plan::AllKeys(id) => find(id.name().as_bytes()).map(|spec| near.forget_after(spec, args)),
            Plan::Refused(_) => None,
        });
        match planned {
            Plan::Whole(spec, place) => {
                let call = Call { spec, args };
                match (core.near_for(spec, &routing.view), place) {
                    (Some(near), Place::Partition { partition, .. }) => {
                        near::read(core, near, partition, place, &call, limit).await
                    }
                    _ => core.call(place, &call, limit).await,
                }
            }
            Plan::Pieces(spec) => pieces::call(core, spec, args, &routing.view, limit).await,
            Plan::AllKeys(id) => AllKeys::new(core, &routing.view, limit).call(id, args).await,
            Plan::Refused(reply) => Ok(reply),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("cluster", &self.view().topology.cluster).finish_non_exhaustive()
    }
}

/// A generator seeded by the operating system: clients that start together must not pause alike.
fn os_rng() -> Box<dyn Rng> {
    let mut seed = [0; 8];
    let drawn = rustls::crypto::ring::default_provider().secure_random.fill(&mut seed);
    if drawn.is_err() {
        tracing::warn!("the operating system gave no randomness: pauses are drawn alike");
    }
    Box::new(SplitMix64::new(u64::from_le_bytes(seed)))
}
