//! Whom a client trusts, what it shows, and that a token travels with each gRPC call.

use crate::{BoxedStream, ConnectError, Connecting, Connector, Tls, TlsError, admin};
use predis_proto::admin::{
    FollowRequest, TopologyView,
    topology_client::TopologyClient,
    topology_server::{Topology, TopologyServer},
};
use predis_types::Secret;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsAcceptor;
use tonic::{Request, Response, Status, transport::Server};

/// An authority in a directory, and a server with a certificate of it.
struct House {
    directory: TempDir,
    server: Arc<ServerConfig>,
}

impl House {
    fn new(host: &str) -> House {
        let directory = tempfile::tempdir().unwrap();
        let root_key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        std::fs::write(directory.path().join("ca.pem"), root.self_signed(&root_key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        server.alpn_protocols = vec![b"h2".to_vec()];
        House { directory, server: Arc::new(server) }
    }

    fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    fn tls(&self) -> Tls {
        Tls::read(&self.authority(), None).unwrap()
    }

    /// Says one byte to whoever manages to shake hands.
    fn greet(&self, stream: DuplexStream) {
        let server = self.server.clone();
        tokio::spawn(async move {
            if let Ok(mut stream) = TlsAcceptor::from(server).accept(stream).await {
                stream.write_all(b"!").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
    }
}

async fn greeted(server: &House, client: &Tls, addr: &str) -> io::Result<u8> {
    let (near, far) = tokio::io::duplex(4096);
    server.greet(far);
    client.resp(addr, Box::new(near)).await?.read_u8().await
}

#[tokio::test]
async fn the_authority_and_the_name_must_be_right() {
    let (ours, theirs) = (House::new("cache.example"), House::new("cache.example"));
    assert_eq!(greeted(&ours, &ours.tls(), "cache.example:6379").await.unwrap(), b'!');
    let error = greeted(&ours, &ours.tls(), "other.example:6379").await.unwrap_err().to_string();
    assert!(error.contains("other.example"), "{error}");
    let error = greeted(&theirs, &ours.tls(), "cache.example:6379").await.unwrap_err().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
    let numbered = House::new("::1");
    assert_eq!(greeted(&numbered, &numbered.tls(), "[::1]:6379").await.unwrap(), b'!');
}

#[test]
fn files_that_do_not_fit_are_named() {
    let house = House::new("cache.example");
    let path = |name: &str, content: &str| {
        let path = house.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let refused = |authority: &Path, identity| match Tls::read(authority, identity) {
        Err(error) => error,
        Ok(_) => panic!("{} is accepted", authority.display()),
    };
    let missing = house.directory.path().join("none.pem");
    assert!(matches!(refused(&missing, None), TlsError::Unreadable { .. }));
    let empty = refused(&path("empty.pem", "hello"), None).to_string();
    assert!(empty.contains("empty.pem") && empty.contains("at least one certificate"), "{empty}");
    let authority = house.authority();
    let broken = path("key.pem", "swordfish");
    let key = refused(&authority, Some((&authority, &broken))).to_string();
    assert!(key.contains("key.pem") && !key.contains("swordfish"), "{key}");
    let stranger = path("stranger.pem", &KeyPair::generate().unwrap().serialize_pem());
    let mismatch = refused(&authority, Some((&authority, &stranger)));
    assert!(matches!(mismatch, TlsError::Unusable { what: "certificate", .. }), "{mismatch}");
}

#[tokio::test]
async fn grpc_is_spoken_over_http_2_and_resp_over_nothing_named() {
    let house = House::new("cache.example");
    for grpc in [true, false] {
        let (near, far) = tokio::io::duplex(4096);
        let acceptor = TlsAcceptor::from(house.server.clone());
        let accepted = tokio::spawn(async move { acceptor.accept(far).await });
        let (tls, near) = (house.tls(), Box::new(near) as BoxedStream);
        let shaken = match grpc {
            true => tls.grpc("cache.example:1", near).await,
            false => tls.resp("cache.example:1", near).await,
        };
        let named = accepted.await.unwrap().unwrap().get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(named, grpc.then(|| b"h2".to_vec()));
        drop(shaken.unwrap());
    }
}

/// Notes the token of each call and refuses it.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Option<String>>>);

#[tonic::async_trait]
impl Topology for Noting {
    type FollowStream = futures_util::stream::Empty<Result<TopologyView, Status>>;

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let given = request.metadata().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        *self.0.lock().unwrap() = given;
        Err(Status::unauthenticated("noted"))
    }
}

/// Opens pipes to the service.
impl Connector for Noting {
    fn connect(&self, _: &str) -> Connecting {
        let (near, far) = tokio::io::duplex(4096);
        let service = TopologyServer::new(self.clone());
        let incoming = futures_util::stream::iter([Ok::<_, io::Error>(far)]);
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        Box::pin(async move { Ok(Box::new(near) as BoxedStream) })
    }
}

#[tokio::test]
async fn a_token_travels_with_each_call() {
    let noting = Noting::default();
    let limit = Duration::from_secs(5);
    for (token, expected) in [(None, None), (Some(Secret::new("predis_abc")), Some("Bearer predis_abc"))] {
        let connecting = admin::connect(Arc::new(noting.clone()), "node:7379", None, token.as_ref(), limit);
        let mut client = TopologyClient::new(connecting.await.unwrap());
        let refused = client.follow(FollowRequest {}).await.unwrap_err();
        assert_eq!(refused.message(), "noted");
        assert_eq!(noting.0.lock().unwrap().as_deref(), expected);
    }
    let odd = Secret::new("sword\nfish");
    let refused = admin::connect(Arc::new(noting), "node:7379", None, Some(&odd), limit).await;
    let said = refused.err().unwrap().to_string();
    assert!(!said.contains("sword"), "{said}");
}

/// Never connects.
struct Deaf;

impl Connector for Deaf {
    fn connect(&self, _: &str) -> Connecting {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_a_deadline_and_an_address_must_be_one() {
    let connect = |addr| admin::connect(Arc::new(Deaf), addr, None, None, Duration::from_secs(2));
    let refused = connect("node:7379").await.err().unwrap();
    assert!(matches!(refused, ConnectError::Unreachable { .. }), "{refused}");
    let refused = connect("no address").await.err().unwrap();
    assert!(matches!(refused, ConnectError::BadAddress { .. }), "{refused}");
}
