//! Connections between members: both sides prove what they are.

use super::*;
use crate::io::Peer;
use rustls::ServerConfig;
use std::sync::Mutex;

/// Connects to whatever is at the other end of a pipe.
struct Pipe(Mutex<Option<DuplexStream>>);

impl Connector for Pipe {
    fn connect(&self, _: &str) -> Pending<'static, io::Result<predis_raft::BoxedStream>> {
        let stream = self.0.lock().unwrap().take();
        Box::pin(async {
            stream.map(|s| Box::new(s) as _).ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
        })
    }
}

impl Rig {
    /// Connects to a server that presents this; what the node says of it.
    async fn meet(&self, presented: Issued) -> Result<(), String> {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let connector = self.tls.connector(Arc::new(Pipe(Mutex::new(Some(client)))));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(presented.certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(presented.key.as_bytes()).unwrap(),
            )
            .unwrap();
        let accepting = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(server);
        let (connected, accepted) = tokio::join!(connector.connect("10.0.0.9:7379"), accepting);
        let mut connected = connected.map_err(|error| error.to_string())?;
        let mut accepted = accepted.unwrap();
        accepted.write_all(b"x").await.unwrap();
        accepted.flush().await.unwrap();
        assert_eq!(connected.read_u8().await.unwrap(), b'x');
        Ok(())
    }
}

#[tokio::test]
async fn members_know_each_other_whatever_their_addresses() {
    let rig = Rig::new(ClientCertificates::Required);
    let (mut listener, feed) = rig.port(Port::Grpc);
    let connector = rig.tls.connector(Arc::new(Pipe(Mutex::new(Some(feed.connect())))));
    let (accepted, connected) = tokio::join!(listener.accept(), connector.connect("node-7.example:7379"));
    let mut connected = connected.unwrap();
    let mut incoming = accepted.unwrap();
    assert_eq!(incoming.peer, Peer::Member);
    connected.write_all(b"x").await.unwrap();
    connected.flush().await.unwrap();
    assert_eq!(incoming.stream.read_u8().await.unwrap(), b'x');
    incoming.stream.write_all(b"y").await.unwrap();
    incoming.stream.flush().await.unwrap();
    assert_eq!(connected.read_u8().await.unwrap(), b'y');
    assert_eq!((rig.count("grpc", "completed"), rig.count("members", "completed")), (1, 1));
}

#[tokio::test]
async fn a_server_that_is_no_member_of_this_cluster_is_none() {
    let rig = Rig::new(ClientCertificates::Optional);
    assert_eq!(rig.meet(rig.issue(Kind::Member)).await, Ok(()));
    for (presented, expected) in [
        (rig.issue(Kind::Server), "is not a member's"),
        (Authority::new().issue(Kind::Member, ALWAYS), "is not of this cluster's authority"),
        (rig.authority.issue(Kind::Member, 0..NOW_S - 3 * DAY_S), "expired 3 days ago"),
    ] {
        let said = rig.meet(presented).await.unwrap_err();
        assert!(said.contains("TLS") && said.contains(expected), "{said}");
    }
    assert_eq!((rig.count("members", "completed"), rig.count("members", "refused")), (1, 3));
}

#[tokio::test]
async fn a_member_that_does_not_accept_this_one_is_heard() {
    let (rig, other) = (Rig::new(ClientCertificates::Optional), Rig::new(ClientCertificates::Optional));
    // This one trusts the other, which does not trust this one.
    let both = format!("{}{}", rig.authority.pem(), other.authority.pem());
    std::fs::write(rig.directory.path().join("ca.crt"), both).unwrap();
    rig.tls.reload().unwrap();
    let (mut listener, feed) = other.port(Port::Grpc);
    let connector = rig.tls.connector(Arc::new(Pipe(Mutex::new(Some(feed.connect())))));
    let attempt = async {
        let mut stream = connector.connect("10.0.0.9:7379").await.unwrap();
        stream.read_u8().await.unwrap_err()
    };
    tokio::select! {
        _ = listener.accept() => panic!("accepted"),
        _ = attempt => {}
    }
    assert_eq!((rig.count("members", "rejected"), rig.count("members", "completed")), (1, 0));
    assert_eq!(other.count("grpc", "refused"), 1);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_no_matter_of_tls() {
    let rig = Rig::new(ClientCertificates::Optional);
    let connector = rig.tls.connector(Arc::new(Pipe(Mutex::new(None))));
    let error = connector.connect("10.0.0.9:7379").await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(rig.tls.handshakes().counts(), []);
}
