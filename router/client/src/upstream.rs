//! One node as the client reaches it: a few connections, opened when needed, and a breaker.
//!
//! ```text
//! Upstream --lanes--> Connection, Connection ...       each key has its lane, so its calls share a connection
//!          |-replica lanes--> Connection (READONLY)
//!          '-tracked lanes--> Connection (CLIENT TRACKING ON)
//! ```
//! However many calls wait for a connection, it is opened once. Knows nothing of slots or of what may be repeated.

use crate::{
    breaker::Breaker,
    connection::{Connection, Greeting, HandshakeError, Queue, drive, shake_hands},
    credentials::Credentials,
    error::Setback,
    near::{Near, Source, watch_over},
    net::Connector,
    settings::Settings,
    tls::Tls,
};
use arc_swap::ArcSwapOption;
use predis_types::Rng;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

/// What all nodes are reached with.
pub(crate) struct Reach {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) tls: Option<Tls>,
    pub(crate) credentials: Credentials,
    pub(crate) settings: Settings,
    pub(crate) rng: Mutex<Box<dyn Rng>>,
    /// Copies of values, if any are kept.
    pub(crate) near: Option<Arc<Near>>,
    /// Told when something may go better than before: a new view, a node that answers again.
    pub(crate) news: Notify,
}

impl Reach {
    /// A number between 0 and 1.
    pub(crate) fn share(&self) -> f64 {
        self.with_rng(|rng| rng.below(1 << 32) as f64 / f64::from(u32::MAX)).min(1.0)
    }

    /// Draws something.
    pub(crate) fn with_rng<T>(&self, draw: impl FnOnce(&mut dyn Rng) -> T) -> T {
        draw(self.rng.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }
}

/// Who may answer on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The primary only.
    Primary,
    /// Replicas too.
    Replica,
    /// The primary, which tells when what was read changes.
    Tracked,
}

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(crate) enum NoConnection {
    /// It may go better later.
    Setback(Setback),
    /// The node does not accept who is calling.
    Auth(String),
    /// The node is left alone until then, or until there is news.
    LeftAlone(Instant),
}

type Opened = Result<Arc<Connection>, NoConnection>;

/// An attempt to open a connection. Whoever waits for it goes on in the order in which they came.
#[derive(Default)]
struct Opening {
    result: OnceLock<Opened>,
    done: Notify,
}

impl Opening {
    fn finish(&self, result: Opened) {
        if self.result.set(result).is_ok() {
            self.done.notify_waiters();
        }
    }

    async fn finished(&self) -> Opened {
        loop {
            // Asked for before looking, so that the end is not missed.
            let done = self.done.notified();
            if let Some(result) = self.result.get() {
                return result.clone();
            }
            done.await;
        }
    }
}

#[derive(Default)]
struct Lane {
    open: ArcSwapOption<Connection>,
    opening: Mutex<Option<Arc<Opening>>>,
}

/// One node.
pub(crate) struct Upstream {
    pub(crate) addr: Arc<str>,
    pub(crate) breaker: Breaker,
    reach: Arc<Reach>,
    lanes: Box<[Lane]>,
    replica_lanes: Box<[Lane]>,
    tracked_lanes: Box<[Lane]>,
}

impl Upstream {
    /// The node whose RESP port is at `addr`, `host:port`; nothing is opened yet.
    pub(crate) fn new(addr: &str, reach: Arc<Reach>) -> Upstream {
        let lanes = || (0..reach.settings.connections.max(1)).map(|_| Lane::default()).collect();
        Upstream {
            addr: addr.into(),
            breaker: Breaker::new(reach.settings.breaker),
            lanes: lanes(),
            replica_lanes: lanes(),
            tracked_lanes: lanes(),
            reach,
        }
    }

    /// The connection for calls with this number, opened if need be.
    pub(crate) async fn connection(
        self: &Arc<Self>,
        mode: Mode,
        number: usize,
    ) -> Result<Arc<Connection>, NoConnection> {
        self.breaker.admit(Instant::now()).map_err(NoConnection::LeftAlone)?;
        let lane = self.lane(mode, number);
        if let Some(connection) = lane.open.load_full().filter(|connection| connection.is_open()) {
            return Ok(connection);
        }
        self.opening(mode, number).finished().await
    }

    /// The node answered.
    pub(crate) fn succeeded(&self) {
        if self.breaker.success() {
            self.reach.news.notify_waiters();
        }
    }

    /// The node failed.
    pub(crate) fn failed(&self) {
        self.breaker.failure(Instant::now(), self.reach.share());
    }

    fn lane(&self, mode: Mode, number: usize) -> &Lane {
        let lanes = match mode {
            Mode::Primary => &self.lanes,
            Mode::Replica => &self.replica_lanes,
            Mode::Tracked => &self.tracked_lanes,
        };
        &lanes[number % lanes.len()]
    }

    /// The attempt to open a connection that is under way, or a new one.
    fn opening(self: &Arc<Self>, mode: Mode, number: usize) -> Arc<Opening> {
        let lane = self.lane(mode, number);
        let mut opening = lane.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = opening.as_ref() {
            return under_way.clone();
        }
        // Another one may have been opened since the caller looked: putting a second in its place would end it.
        if let Some(connection) = lane.open.load_full().filter(|connection| connection.is_open()) {
            let opened = Opening::default();
            opened.finish(Ok(connection));
            return Arc::new(opened);
        }
        let begun = Arc::new(Opening::default());
        *opening = Some(begun.clone());
        drop(opening);
        let (upstream, finished) = (self.clone(), begun.clone());
        // A task of its own: whoever asked first may give up before the others do.
        tokio::spawn(async move {
            let result = upstream.open(mode).await;
            let lane = upstream.lane(mode, number);
            match &result {
                Ok(connection) => lane.open.store(Some(connection.clone())),
                // That the caller is nobody says nothing against the node.
                Err(NoConnection::Auth(_)) => {}
                Err(_) => upstream.failed(),
            }
            *lane.opening.lock().unwrap_or_else(PoisonError::into_inner) = None;
            finished.finish(result);
        });
        begun
    }

    async fn open(self: &Arc<Self>, mode: Mode) -> Result<Arc<Connection>, NoConnection> {
        let limit = self.reach.settings.connect_limit;
        let unreachable = |reason| Setback::Unreachable { addr: self.addr.clone(), reason };
        let opened = timeout(limit, self.dial(mode)).await;
        let link = opened.unwrap_or_else(|_| {
            Err(NoConnection::Setback(unreachable(format!("not connected within {limit:?}"))))
        })?;
        let queue = Arc::new(Queue::new(self.reach.settings.max_in_flight));
        let (driven, silence_limit) = (queue.clone(), self.reach.settings.silence_limit);
        // The node outlives its connections unless the client is dropped: then nobody counts failures.
        let upstream: Weak<Upstream> = Arc::downgrade(self);
        let near = self.reach.near.clone().filter(|_| mode == Mode::Tracked);
        let source = near.as_ref().map(|_| Arc::new(Source::new(Instant::now())));
        let (heard, origin) = (near.clone(), source.clone());
        let driver = tokio::spawn(async move {
            let unanswered = drive(link, &driven, silence_limit, heard.as_deref()).await;
            if let Some(source) = origin {
                source.end();
            }
            if let Some(upstream) = upstream.upgrade().filter(|_| unanswered) {
                tracing::debug!(addr = %upstream.addr, "lost a connection with calls under way");
                upstream.failed();
            }
        });
        let connection = Arc::new(Connection::new(queue, driver.abort_handle(), source.clone()));
        if let (Some(near), Some(source)) = (near, source) {
            tokio::spawn(watch_over(Arc::downgrade(&connection), source, near));
        }
        Ok(connection)
    }

    async fn dial(&self, mode: Mode) -> Result<crate::connection::Link, NoConnection> {
        let unreachable =
            |reason| NoConnection::Setback(Setback::Unreachable { addr: self.addr.clone(), reason });
        let login = self.reach.credentials.read().map_err(NoConnection::Auth)?;
        let mut stream =
            self.reach.connector.connect(&self.addr).await.map_err(|error| unreachable(error.to_string()))?;
        if let Some(tls) = &self.reach.tls {
            let shaken = tls.resp(&self.addr, stream).await;
            stream = shaken.map_err(|error| unreachable(format!("TLS: {error}")))?;
        }
        let greeting = Greeting { login, mode };
        shake_hands(stream, &greeting).await.map_err(|error| match error {
            HandshakeError::Auth(line) => NoConnection::Auth(line),
            HandshakeError::Refused(line) => {
                NoConnection::Setback(Setback::Refused { addr: self.addr.clone(), line })
            }
            HandshakeError::Broken(reason) => unreachable(reason),
        })
    }
}
