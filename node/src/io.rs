//! The seam between a node and the world: sockets, time, randomness, disk.
//!
//! ```text
//! boot(config, io):  io = system()      production and `predis up`
//!                    io = turmoil's     the simulator
//! ```
//! Everything a node does to or learns from the outside comes through here; tasks run on the tokio runtime
//! that called `boot`.

use predis_raft::{BoxedStream, Connector, Disk, Pending};
use predis_types::{Clock, Rng, probe::Probe};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// What the certificate of whoever connected proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// Nothing: there was no TLS, or no certificate.
    #[default]
    Unproven,
    /// A certificate of the cluster's authority.
    Client,
    /// A member's certificate.
    Member,
}

/// A connection that was accepted.
pub struct Incoming {
    /// Its bytes.
    pub stream: BoxedStream,
    /// Where it comes from.
    pub addr: SocketAddr,
    /// Who it comes from, as far as TLS says.
    pub peer: Peer,
}

impl Incoming {
    /// A connection without TLS.
    pub fn plain(stream: BoxedStream, addr: SocketAddr) -> Incoming {
        Incoming { stream, addr, peer: Peer::Unproven }
    }
}

/// Accepts connections on one address.
pub trait Listener: Send + 'static {
    /// Where it listens, the port chosen if none was asked for.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The next connection.
    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>>;
}

/// Opens listeners.
pub trait Binder: Send + Sync + 'static {
    /// Listens on `host:port`.
    ///
    /// # Errors
    /// When the address is in use or not this machine's.
    fn bind<'a>(&'a self, addr: &'a str) -> Pending<'a, io::Result<Box<dyn Listener>>>;
}

/// All that a node reaches the world through.
pub struct Io {
    /// Listens.
    pub binder: Arc<dyn Binder>,
    /// Connects.
    pub connector: Arc<dyn Connector>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random numbers; not for secrets.
    pub rng: Mutex<Box<dyn Rng>>,
    /// Keeps what must survive a crash.
    pub disk: Arc<dyn Disk>,
    /// Watches.
    pub probe: Arc<dyn Probe>,
}

impl Io {
    /// 64 random bits.
    pub fn random(&self) -> u64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}
