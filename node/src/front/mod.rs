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
mod rates;
mod refusing;
mod round;
mod session;
pub mod stats;

#[cfg(test)]
mod tests;

pub use refusing::refuse_all;

use crate::{
    io::{Incoming, Listener},
    serving::Serving,
};
use clients::Clients;
use connection::Connection;
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

/// How long to wait after an accept that failed, as when the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The RESP front of one node.
pub struct Front {
    serving: Arc<Serving>,
    clients: Arc<Clients>,
    stats: Stats,
    listening: OnceLock<SocketAddr>,
}

impl Front {
    /// A front without connections.
    pub fn new(serving: Arc<Serving>) -> Arc<Front> {
        Arc::new(Front {
            serving,
            clients: Arc::default(),
            stats: Stats::default(),
            listening: OnceLock::new(),
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
        mut listener: Box<dyn Listener>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        if let Ok(addr) = listener.local_addr() {
            self.listening.get_or_init(|| addr);
        }
        let mut tasks = JoinSet::new();
        // A set of its own, so that it ends with this future even when that is dropped.
        let mut ticking = JoinSet::new();
        ticking.spawn(self.clone().tick());
        let stop = shutdown.clone();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = shutdown.wait_for(|stop| *stop) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(incoming) => self.begin(&mut tasks, incoming, &stop),
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
        Incoming { stream, addr, .. }: Incoming,
        stop: &watch::Receiver<bool>,
    ) {
        let local_addr = self.listening.get().copied().unwrap_or(addr);
        let now_us = self.serving.clock.mono_us();
        match self.clients.enter((addr, local_addr), now_us, self.serving.tunables.max_clients()) {
            Some(entered) => {
                self.stats.count_connection();
                tasks.spawn(Connection::new(self.clone(), entered, stream, stop.clone()).run());
            }
            None => {
                self.stats.count_refusal();
                tasks.spawn(connection::refuse(stream));
            }
        }
    }

    /// Samples rates, and ends connections that have been idle for too long.
    async fn tick(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TICK).await;
            let now_us = self.serving.clock.mono_us();
            self.stats.sample(now_us);
            let timeout_us = self.serving.tunables.timeout_s().saturating_mul(1_000_000);
            if timeout_us > 0 {
                let clients = self.clients.all();
                clients.iter().filter(|client| client.idle_us(now_us) > timeout_us).for_each(|c| c.kill());
            }
        }
    }
}
