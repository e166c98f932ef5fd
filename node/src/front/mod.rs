//! The RESP front: client connections in, commands to the shards, replies out.
//!
//! ```text
//! Listener -> Connection: bytes -> RequestDecoder -> dispatch -> group by partition -> Shards::submit
//!                 ^                                      |                                |
//!                 |                                      '-- commands/ (this node's own)  |
//!                 '------------------ replies, once a round ------------------------------'
//! ```
//! Owns what a connection is and every command that is not on keys. Knows nothing of how a shard decides or
//! stores; reads metadata as the published topology and proposes changes through [`Serving::propose`]. Time and
//! randomness come from [`Serving`], so that it runs in the simulator as it is.

mod clients;
mod commands;
mod connection;
mod dispatch;
mod error;
mod glob;
mod histogram;
mod process;
mod proxy;
mod rates;
mod refusing;
mod round;
mod session;
pub mod stats;
mod tracking;

#[cfg(test)]
mod tests;

pub use refusing::refuse_all;
pub use session::Door;
pub use tracking::{Tracking, TrackingSink};

use crate::{
    access::{OverQuota, Reason, Refusal},
    io::{Incoming, Listener},
    serving::Serving,
};
use clients::Clients;
use connection::Connection;
use error::Error;
use proxy::Proxy;
use session::Session;
use stats::Stats;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often rates are sampled, and idle connections looked for.
const TICK: Duration = Duration::from_millis(100);

/// How long connections may take to finish what they are doing when the front stops.
const GRACE: Duration = Duration::from_secs(2);

/// How long a connection may be of nobody, in microseconds: who has no token shall not keep others' places.
const NAMELESS_US: u64 = 30_000_000;

/// How long to wait after an accept that failed, as when the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The RESP front of one node.
pub struct Front {
    serving: Arc<Serving>,
    clients: Arc<Clients>,
    proxy: Proxy,
    stats: Stats,
    /// Where each door is.
    listening: [OnceLock<SocketAddr>; 2],
}

impl Front {
    /// A front without connections.
    pub fn new(serving: Arc<Serving>) -> Arc<Front> {
        Arc::new(Front {
            proxy: Proxy::new(serving.clone()),
            serving,
            clients: Arc::default(),
            stats: Stats::default(),
            listening: Default::default(),
        })
    }

    /// What it counted.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How many clients are connected.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// The most clients that may be connected.
    pub fn max_clients(&self) -> usize {
        self.serving.tunables.max_clients()
    }

    /// Serves every connection that comes in until `shutdown` turns true or its sender is gone; then no
    /// request is begun any more, the replies of those begun are written, and every connection is closed before
    /// this returns. Dropping the future ends everything at once.
    pub async fn serve(
        self: Arc<Self>,
        door: Door,
        mut listener: Box<dyn Listener>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        if let Ok(addr) = listener.local_addr() {
            self.listening[door as usize].get_or_init(|| addr);
        }
        let mut tasks = JoinSet::new();
        // A set of its own, so that it ends with this future even when that is dropped.
        let mut ticking = JoinSet::new();
        if door == Door::Resp {
            ticking.spawn(self.clone().tick());
        }
        let stop = shutdown.clone();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = shutdown.wait_for(|stop| *stop) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(incoming) => self.begin(&mut tasks, door, incoming, &stop),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            while let Some(ended) = tasks.try_join_next() {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection's task failed");
                }
            }
        }
        drop(listener);
        ticking.shutdown().await;
        let finish = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, finish).await.is_err() {
            tasks.shutdown().await;
        }
    }

    fn begin(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        door: Door,
        Incoming { stream, addr, .. }: Incoming,
        stop: &watch::Receiver<bool>,
    ) {
        let local_addr = self.listening[door as usize].get().copied().unwrap_or(addr);
        let now_us = self.serving.clock.mono_us();
        let entered =
            self.clients.enter(door, (addr, local_addr), now_us, self.serving.tunables.max_clients());
        let known = match (&entered, self.serving.access.anonymous()) {
            (None, _) => Err("ERR max number of clients reached".to_owned()),
            (Some(entered), Some(anonymous)) => {
                entered.session.assume(anonymous).map_err(|over| over.to_string())
            }
            (Some(_), None) => Ok(()),
        };
        match (entered, known) {
            (Some(entered), Ok(())) => {
                self.stats.count_connection();
                tasks.spawn(Connection::new(self.clone(), entered, stream, stop.clone()).run());
            }
            (_, refused) => {
                self.stats.count_refusal();
                tasks.spawn(connection::refuse(stream, refused.err().unwrap_or_default()));
            }
        }
    }

    /// Notes what a client was refused, if it is something that somebody should know.
    fn audit(&self, session: &Session, error: &Error) {
        let (reason, object) = match error {
            Error::NoPermission { command, .. } => (Reason::Command, *command),
            Error::OtherTenants { command, .. } => (Reason::Tenant, *command),
            Error::OverQuota(OverQuota::Operations(..)) => (Reason::Quota, "operations"),
            // A connection too many is noted where it is known whose it would have been.
            _ => return,
        };
        self.refused(session, reason, object, &session.user());
    }

    fn refused(&self, session: &Session, reason: Reason, object: &str, user: &str) {
        self.serving.access.refused(Refusal {
            reason,
            context: session.door.name(),
            object: object.to_owned(),
            user: user.to_owned(),
            client: session.addr.to_string(),
        });
    }

    /// Samples rates, ends connections that have been idle for too long, and those whose user is gone.
    async fn tick(self: Arc<Self>) {
        let mut version = 0;
        loop {
            tokio::time::sleep(TICK).await;
            let now_us = self.serving.clock.mono_us();
            self.stats.sample(now_us);
            let clients = self.clients.all();
            self.look_who_is_there(&clients, &mut version);
            let timeout_us = self.serving.tunables.timeout_s().saturating_mul(1_000_000);
            if timeout_us > 0 {
                clients.iter().filter(|client| client.idle_us(now_us) > timeout_us).for_each(|c| c.kill());
            }
        }
    }

    /// Gives connections what has been changed about their users, and ends those whose token or user is no more.
    fn look_who_is_there(&self, clients: &[Arc<Session>], version: &mut u64) {
        let access = &self.serving.access;
        let changed = std::mem::replace(version, access.version()) != access.version();
        let now_ms = self.serving.clock.wall_ms();
        for client in clients {
            let Some(identity) = client.identity().as_ref().cloned() else {
                if client.nameless_for_us(self.serving.clock.mono_us()) > NAMELESS_US {
                    client.kill();
                }
                continue;
            };
            if !changed && identity.until_ms.is_none_or(|end| now_ms < end) {
                continue;
            }
            let stays = access.still(&identity).is_some_and(|now| client.renew(&identity, now).is_ok());
            if !stays && client.is_still(&identity) {
                client.kill();
            }
        }
    }
}
