//! TLS: one certificate for every port of a node, and for its connections to other members.
//!
//! ```text
//! files --read, check--> Configs (swapped whole on a reload)
//!                          |-- listener: handshakes in the background --> Incoming { peer }
//!                          '-- connector: verifies MEMBER_NAME, presents the node's own certificate
//! ```
//! Whoever connects is verified against the cluster's authority; what it proved travels on as [`Peer`]. Connections
//! that are open when certificates are read anew go on as they are. Knows no protocol above TLS, and not who may do
//! what.
//!
//! [`Peer`]: crate::Peer

mod configs;
mod connector;
mod error;
mod files;
mod handshakes;
mod heard;
mod listener;
mod peer;
mod time;
mod words;

pub use error::TlsError;
pub(crate) use handshakes::{Outcome, Port};

use crate::{access::Access, io::Listener};
use arc_swap::ArcSwap;
use configs::Configs;
use handshakes::Handshakes;
use predis_raft::Connector;
use predis_types::Clock;
use std::{path::PathBuf, sync::Arc};

/// The DNS name among a certificate's that makes it a member's. Nobody resolves it: members verify this name, and
/// never a host's, because their addresses change.
pub const MEMBER_NAME: &str = "member.predis.internal";

/// Where a node's certificates are; all files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate of the cluster's authority, or of several while one replaces the other.
    pub authority: PathBuf,
    /// The node's certificate, followed by those between it and the authority, if there are any.
    pub certificate: PathBuf,
    /// Its private key, which only the file's owner may read.
    pub key: PathBuf,
    /// Whether clients need a certificate.
    pub clients: ClientCertificates,
}

impl TlsConfig {
    /// Reads the files as a node would at its start.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn check(&self, clock: Arc<dyn Clock>) -> Result<(), TlsError> {
        Configs::read(self, clock).map(drop)
    }
}

/// Whether whoever connects needs a certificate. One that is presented is verified in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Members do, clients need none.
    #[default]
    Optional,
    /// Everybody does, on every port.
    Required,
}

/// The TLS of one node.
pub struct Tls {
    config: TlsConfig,
    clock: Arc<dyn Clock>,
    access: Arc<Access>,
    current: ArcSwap<Configs>,
    handshakes: Handshakes,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub(crate) fn load(
        config: TlsConfig,
        clock: Arc<dyn Clock>,
        access: Arc<Access>,
    ) -> Result<Arc<Tls>, TlsError> {
        let current = ArcSwap::from_pointee(Configs::read(&config, clock.clone())?);
        Ok(Arc::new(Tls { config, clock, access, current, handshakes: Handshakes::default() }))
    }

    /// Reads the files anew, for the connections that come.
    ///
    /// # Errors
    /// As [`Tls::load`]; then everything stays as it is.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let configs = Configs::read(&self.config, self.clock.clone())?;
        self.current.store(Arc::new(configs));
        Ok(())
    }

    /// A listener whose connections have made their handshakes.
    pub(crate) fn listener(self: &Arc<Self>, port: Port, inner: Box<dyn Listener>) -> Box<dyn Listener> {
        Box::new(listener::TlsListener::new(self.clone(), port, inner))
    }

    /// A connector to other members.
    pub(crate) fn connector(self: &Arc<Self>, inner: Arc<dyn Connector>) -> Arc<dyn Connector> {
        Arc::new(connector::MemberConnector::new(self.clone(), inner))
    }

    /// How handshakes ended so far.
    pub(crate) fn handshakes(&self) -> &Handshakes {
        &self.handshakes
    }

    /// When the certificate expires that new connections get, in seconds since the Unix epoch.
    pub(crate) fn expires_at_s(&self) -> i64 {
        self.current.load().expires_at_s
    }
}

#[cfg(test)]
mod tests;
