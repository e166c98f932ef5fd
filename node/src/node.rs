//! A running node, as whoever booted it holds it.

use crate::{
    front::Front,
    http::Pages,
    life::End,
    metrics,
    serving::Serving,
    tls::{Tls, TlsError},
    tunables::Tunables,
};
use arc_swap::ArcSwapOption;
use predis_meta::Addresses;
use predis_raft::MetaRaft;
use predis_types::NodeId;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};

/// How long a stopping node waits for its tasks.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What serves requests during one life.
pub struct Running {
    /// The state shared by fronts and agents.
    pub serving: Arc<Serving>,
    /// The RESP front.
    pub front: Arc<Front>,
}

/// How far a node has come; feeds readiness and metrics.
pub struct Status {
    node: NodeId,
    meta: MetaRaft,
    tls: Option<Arc<Tls>>,
    tunables: Arc<Tunables>,
    running: ArcSwapOption<Running>,
    doing: Mutex<&'static str>,
}

impl Status {
    pub(crate) fn new(node: NodeId, meta: MetaRaft, tls: Option<Arc<Tls>>, tunables: Tunables) -> Status {
        Status {
            node,
            meta,
            tls,
            tunables: Arc::new(tunables),
            running: ArcSwapOption::empty(),
            doing: Mutex::new("starting"),
        }
    }

    /// Says what the node is waiting for.
    pub(crate) fn doing(&self, what: &'static str) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// Begins or ends a life.
    pub(crate) fn set_running(&self, running: Option<Arc<Running>>) {
        self.running.store(running);
    }

    /// Who it is.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The agreed metadata.
    pub fn meta(&self) -> &MetaRaft {
        &self.meta
    }

    /// Its TLS, if it speaks that.
    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// What may change while it runs; every life keeps it.
    pub fn tunables(&self) -> &Arc<Tunables> {
        &self.tunables
    }

    /// The life that serves now.
    pub fn running(&self) -> Option<Arc<Running>> {
        self.running.load_full()
    }
}

impl Pages for Status {
    fn metrics(&self) -> String {
        metrics::render(self)
    }

    fn ready(&self) -> Result<(), String> {
        let Some(running) = self.running() else {
            return Err((*self.doing.lock().unwrap_or_else(PoisonError::into_inner)).to_owned());
        };
        if running.serving.lease.is_valid() { Ok(()) } else { Err("the node has no lease".to_owned()) }
    }
}

/// Why a node does not go on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has left the cluster, as it was asked to.
    Left,
    /// It cannot go on, for this reason.
    Failed(String),
}

/// A running node.
pub struct Node {
    addrs: Addresses,
    meta: MetaRaft,
    status: Arc<Status>,
    stop: watch::Sender<bool>,
    lives: JoinSet<Result<End, String>>,
    tasks: JoinSet<Result<(), String>>,
}

impl Node {
    pub(crate) fn new(
        addrs: Addresses,
        meta: MetaRaft,
        status: Arc<Status>,
        stop: watch::Sender<bool>,
        lives: JoinSet<Result<End, String>>,
        tasks: JoinSet<Result<(), String>>,
    ) -> Node {
        Node { addrs, meta, status, stop, lives, tasks }
    }

    /// Where it is reached.
    pub fn addresses(&self) -> &Addresses {
        &self.addrs
    }

    /// The agreed metadata.
    pub fn meta(&self) -> &MetaRaft {
        &self.meta
    }

    /// What it is doing; outlives the node.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// What may change while it runs, for this node alone.
    pub fn tunables(&self) -> &Arc<Tunables> {
        self.status.tunables()
    }

    /// `Ok` when clients may be sent here, else what is missing.
    ///
    /// # Errors
    /// A few words on what the node waits for.
    pub fn ready(&self) -> Result<(), String> {
        self.status.ready()
    }

    /// Reads the files with certificates and key anew; connections from now on use what they hold, those that are
    /// open go on. Without TLS there is nothing to do.
    ///
    /// # Errors
    /// When a file cannot be used; then none is, and everything stays as it was.
    pub fn reload_certificates(&self) -> Result<(), TlsError> {
        self.status.tls().map_or(Ok(()), Tls::reload)
    }

    /// Resolves when the node does not go on by itself, with the reason; it is still to be shut down.
    pub async fn ended(&mut self) -> Ending {
        loop {
            let ended = tokio::select! {
                Some(ended) = self.tasks.join_next() => ended.map(|ended| ended.map(|()| End::Stopped)),
                Some(ended) = self.lives.join_next() => ended,
                else => return Ending::Failed("all tasks of the node ended".to_owned()),
            };
            match ended {
                Ok(Ok(End::Stopped)) => {}
                Ok(Ok(End::Left)) => return Ending::Left,
                Ok(Err(reason)) => return Ending::Failed(reason),
                Err(error) => return Ending::Failed(format!("a task of the node failed: {error}")),
            }
        }
    }

    /// Stops serving, then stops Raft. Clients get the replies under way and are disconnected.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // What does not end in time is cut off.
        let _ =
            tokio::time::timeout(STOP_LIMIT, async { while self.lives.join_next().await.is_some() {} }).await;
        self.lives.shutdown().await;
        self.meta.shutdown().await;
        self.tasks.shutdown().await;
    }
}
