//! Handshakes over pipes, with certificates of all kinds and a clock that the test moves.

mod authority;
mod files;
mod handshakes;
mod members;
mod reload;

use super::*;
use crate::io::Incoming;
use authority::{ALWAYS, Authority, Issued, Kind};
use predis_raft::Pending;
use predis_types::ManualClock;
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
};

/// What the clock reads first, in seconds since the Unix epoch.
const NOW_S: u64 = 1_800_000_000;
const DAY_S: u64 = 86_400;

/// Gives out the connections that it is fed.
struct Fed(mpsc::UnboundedReceiver<Incoming>);

impl Listener for Fed {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(addr(1))
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        Box::pin(async { self.0.recv().await.ok_or_else(|| io::ErrorKind::ConnectionAborted.into()) })
    }
}

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A node's TLS with its files.
struct Rig {
    directory: tempfile::TempDir,
    authority: Authority,
    clock: Arc<ManualClock>,
    access: Arc<Access>,
    tls: Arc<Tls>,
}

impl Rig {
    fn new(clients: ClientCertificates) -> Rig {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        std::fs::write(directory.path().join("ca.crt"), authority.pem()).unwrap();
        authority.issue(Kind::Member, ALWAYS).write(directory.path(), "node");
        let clock = Arc::new(ManualClock::new(NOW_S * 1000));
        let access = Arc::new(Access::new(clock.clone(), false));
        let tls = Tls::load(config(&directory, clients), clock.clone(), access.clone()).unwrap();
        Rig { directory, authority, clock, access, tls }
    }

    /// A port, and where to feed connections to it.
    fn port(&self, port: Port) -> (Box<dyn Listener>, Feed) {
        let (feed, fed) = mpsc::unbounded_channel();
        (self.tls.listener(port, Box::new(Fed(fed))), Feed(feed))
    }

    fn issue(&self, kind: Kind) -> Issued {
        self.authority.issue(kind, ALWAYS)
    }

    /// How often handshakes on a port ended like this.
    fn count(&self, port: &str, result: &str) -> u64 {
        let counts = self.tls.handshakes().counts();
        counts.iter().find(|(p, r, _)| (*p, *r) == (port, result)).map_or(0, |(_, _, count)| *count)
    }

    /// The only refusal so far, in words.
    fn refusal(&self) -> String {
        let refusals = self.access.refusals();
        let [entry] = refusals.as_slice() else { panic!("{refusals:?}") };
        assert_eq!(entry.refusal.reason, crate::access::Reason::Certificate);
        assert_eq!(entry.refusal.context, "resp");
        assert!(entry.refusal.client.starts_with("127.0.0.1:"), "{entry:?}");
        entry.refusal.object.clone()
    }
}

fn config(directory: &tempfile::TempDir, clients: ClientCertificates) -> TlsConfig {
    let path = |name| directory.path().join(name);
    TlsConfig { authority: path("ca.crt"), certificate: path("node.crt"), key: path("node.key"), clients }
}

/// Feeds a port with connections.
struct Feed(mpsc::UnboundedSender<Incoming>);

impl Feed {
    /// The client's end of a new connection.
    fn connect(&self) -> DuplexStream {
        self.connect_through(64 * 1024)
    }

    /// The same, with so many bytes at most on their way.
    fn connect_through(&self, bytes: usize) -> DuplexStream {
        let (client, server) = tokio::io::duplex(bytes);
        self.0.send(Incoming::plain(Box::new(server), addr(2))).unwrap();
        client
    }
}

/// What a client trusts and presents.
struct Client {
    trusted: String,
    presented: Option<Issued>,
    versions: &'static [&'static SupportedProtocolVersion],
    alpn: Vec<Vec<u8>>,
}

type ClientStream = tokio_rustls::client::TlsStream<DuplexStream>;

impl Client {
    fn new(authority: &Authority, presented: Option<Issued>) -> Client {
        Client { trusted: authority.pem(), presented, versions: rustls::ALL_VERSIONS, alpn: Vec::new() }
    }

    /// Connects as `127.0.0.1`.
    async fn connect(&self, stream: DuplexStream) -> io::Result<ClientStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.trusted.as_bytes()).unwrap()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW_S * 1000));
        let builder = ClientConfig::builder_with_details(
            Arc::new(ring::default_provider()),
            Arc::new(time::NodeTime(clock)),
        );
        let builder = builder.with_protocol_versions(self.versions).unwrap().with_root_certificates(roots);
        let mut config = match &self.presented {
            None => builder.with_no_client_auth(),
            Some(Issued { certificate, key }) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        config.alpn_protocols = self.alpn.clone();
        config.resumption = Resumption::disabled();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

/// Both ends of a connection say something that the other hears.
async fn converse(server: &mut (impl predis_raft::Stream + ?Sized), client: &mut ClientStream) {
    let mut heard = [0; 4];
    client.write_all(b"ping").await.unwrap();
    client.flush().await.unwrap();
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"ping");
    server.write_all(b"pong").await.unwrap();
    server.flush().await.unwrap();
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"pong");
}
