//! Three nodes over real sockets with mutual TLS: they come up, serve, refuse whom they must, and go on while one
//! authority replaces the other under them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with the tests beside the code")]
#[path = "../src/tls/tests/authority.rs"]
mod authority;

use authority::{ALWAYS, Authority, Issued, Kind};
use predis_node::{
    Founding, Node, NodeConfig, Profile, Start, boot, system,
    tls::{ClientCertificates, TlsConfig},
};
use predis_proto::{
    admin::{StatusRequest, cluster_client::ClusterClient},
    node::{RenewRequest, node_client::NodeClient},
    raft::{Envelope, raft_client::RaftClient},
};
use predis_raft::{BoxedStream, CallError, Channels, Connector, Pending};
use predis_types::PartitionCount;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{fs, io, path::Path, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// What a client trusts and presents.
#[derive(Clone)]
struct Client(Arc<ClientConfig>);

impl Client {
    fn new(authority: &Authority, presented: Option<Issued>) -> Client {
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&authority.pem())).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Client(Arc::new(match presented {
            None => builder.with_no_client_auth(),
            Some(issued) => {
                let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate(&issued.certificate)], key).unwrap()
            }
        }))
    }

    async fn open(&self, addr: &str) -> io::Result<impl predis_raft::Stream + use<>> {
        let stream = TcpStream::connect(addr).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        tokio_rustls::TlsConnector::from(self.0.clone()).connect(name, stream).await
    }

    /// Sends bytes and reads until the other side closes.
    async fn ask(&self, addr: &str, bytes: &str) -> io::Result<String> {
        let asking = async {
            let mut stream = self.open(addr).await?;
            stream.write_all(bytes.as_bytes()).await?;
            stream.flush().await?;
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await?;
            Ok(String::from_utf8(said).unwrap())
        };
        tokio::time::timeout(LIMIT, asking).await.unwrap()
    }
}

impl Connector for Client {
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>> {
        let (client, addr) = (self.clone(), addr.to_owned());
        Box::pin(async move { Ok(Box::new(client.open(&addr).await?) as BoxedStream) })
    }
}

fn config(directory: &Path, number: usize, start: Start) -> NodeConfig {
    let any = || "127.0.0.1:0".to_owned();
    let path = |name: &str| directory.join(name);
    NodeConfig {
        name: format!("node-{number}"),
        listen: any(),
        proxy_listen: None,
        grpc: any(),
        metrics: any(),
        advertise: None,
        zone: String::new(),
        region: String::new(),
        weight: 100,
        memory_bytes: None,
        tls: Some(TlsConfig {
            authority: path("ca.crt"),
            certificate: path(&format!("node-{number}.crt")),
            key: path(&format!("node-{number}.key")),
            clients: ClientCertificates::Required,
        }),
        start,
        max_clients: 100,
        timeout_s: 0,
        exposed: false,
        profile: Profile::lan(),
    }
}

async fn start(directory: &Path, number: usize, start: Start) -> Node {
    let io = system::open(&directory.join(format!("data-{number}"))).unwrap();
    boot(config(directory, number, start), io).await.unwrap()
}

/// Waits until every node serves and all know `members`.
async fn ready(nodes: &[Node], members: usize) {
    let looking = async {
        while !nodes.iter().all(|node| {
            let state = node.meta().published().state;
            node.ready().is_ok() && state.nodes().values().filter(|member| member.is_up()).count() == members
        }) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, looking).await.unwrap();
}

/// Three nodes that have found each other.
async fn cluster(directory: &Path, authority: &Authority) -> Vec<Node> {
    fs::write(directory.join("ca.crt"), authority.pem()).unwrap();
    for number in 1..=3 {
        authority.issue(Kind::Member, ALWAYS).write(directory, &format!("node-{number}"));
    }
    let partitions = PartitionCount::new(16).unwrap();
    let founding = Founding { partitions, ..Founding::default() };
    let mut nodes = vec![start(directory, 1, Start::Bootstrap(founding)).await];
    let seed = vec![nodes[0].addresses().grpc.clone()];
    for number in 2..=3 {
        nodes.push(start(directory, number, Start::Join(seed.clone())).await);
    }
    ready(&nodes, 3).await;
    nodes
}

/// Has every node asked to write, until exactly one does: the partition may be on its way, a lease may lapse.
async fn serves(nodes: &[Node], client: &Client) {
    let serving = async {
        loop {
            let mut taken = 0;
            for node in nodes {
                let said = client.ask(&node.addresses().resp, "SET key value\r\nQUIT\r\n").await.unwrap();
                taken += usize::from(said.starts_with("+OK"));
            }
            if taken == 1 {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, serving).await.unwrap();
}

async fn metrics(node: &Node, client: &Client) -> String {
    let request = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    client.ask(&node.addresses().metrics, request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_mutual_tls_serves_those_who_prove_themselves() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let nodes = cluster(directory.path(), &authority).await;
    let client = Client::new(&authority, Some(authority.issue(Kind::Client, ALWAYS)));
    serves(&nodes, &client).await;
    let ready = "GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let said = client.ask(&nodes[2].addresses().metrics, ready).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");

    let past = 0..1_600_000_000;
    for (presented, trusted) in [
        (None, &authority),
        (Some(Authority::new().issue(Kind::Client, ALWAYS)), &authority),
        (Some(authority.issue(Kind::Client, past)), &authority),
        (Some(authority.issue(Kind::Client, ALWAYS)), &Authority::new()),
    ] {
        let stranger = Client::new(trusted, presented);
        for addr in [&nodes[0].addresses().resp, &nodes[0].addresses().grpc, &nodes[0].addresses().metrics] {
            assert!(stranger.ask(addr, "PING\r\n").await.is_err(), "{addr}");
        }
    }
    let page = metrics(&nodes[0], &client).await;
    for (port, result, count) in [("resp", "refused", 3), ("grpc", "rejected", 1), ("metrics", "refused", 3)]
    {
        let line = format!("predis_tls_handshakes_total{{port=\"{port}\",result=\"{result}\"}} {count}\n");
        assert!(page.contains(&line), "{line}{page}");
    }
    for node in nodes {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_members_call_on_each_other_is_not_for_clients() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let nodes = cluster(directory.path(), &authority).await;
    let addr = nodes[0].addresses().grpc.clone();
    let call = |kind| Channels::new(Arc::new(Client::new(&authority, Some(authority.issue(kind, ALWAYS)))));
    let code = |called: Result<(), CallError>| match called {
        Ok(()) => Code::Ok,
        Err(CallError::Failed { status, .. }) => status.code(),
        Err(error) => panic!("{error}"),
    };
    let (client, member) = (call(Kind::Client), call(Kind::Member));
    let status = client.call(&addr, LIMIT, |channel| async move {
        ClusterClient::new(channel).status(StatusRequest { stale: true }).await
    });
    assert_eq!(status.await.unwrap().nodes.len(), 3);

    // A member gets as far as being asked whether the message is for this node.
    for (channels, expected) in [(&client, Code::PermissionDenied), (&member, Code::FailedPrecondition)] {
        let vote = channels.call(&addr, LIMIT, |channel| async move {
            RaftClient::new(channel).vote(Envelope { to: 99, ..Envelope::default() }).await
        });
        assert_eq!(code(vote.await.map(|_| ())), expected);
        let renewal = channels.call(&addr, LIMIT, |channel| async move {
            let request = RenewRequest { cluster: "none".to_owned(), ..RenewRequest::default() };
            NodeClient::new(channel).renew(request).await
        });
        assert_eq!(code(renewal.await.map(|_| ())), expected);
    }
    for node in nodes {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_authority_replaces_another_under_a_running_cluster() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (Authority::new(), Authority::new());
    let mut nodes = cluster(directory.path(), &old).await;
    let old_client = Client::new(&old, Some(old.issue(Kind::Client, ALWAYS)));
    let mut open = old_client.open(&nodes[0].addresses().resp).await.unwrap();
    let reload = |nodes: &[Node]| nodes.iter().for_each(|node| node.reload_certificates().unwrap());

    let ca = directory.path().join("ca.crt");
    fs::write(&ca, format!("{}{}", old.pem(), new.pem())).unwrap();
    reload(&nodes);
    serves(&nodes, &old_client).await;
    for number in 1..=3 {
        new.issue(Kind::Member, ALWAYS).write(directory.path(), &format!("node-{number}"));
    }
    reload(&nodes);
    let new_client = Client::new(&new, Some(new.issue(Kind::Client, ALWAYS)));
    serves(&nodes, &new_client).await;
    fs::write(&ca, new.pem()).unwrap();
    reload(&nodes);
    serves(&nodes, &new_client).await;

    // Who connected before goes on; who comes with the old certificate does not get in.
    open.write_all(b"PING\r\n").await.unwrap();
    open.flush().await.unwrap();
    let mut said = [0; 7];
    open.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"+PONG\r\n");
    assert!(old_client.ask(&nodes[0].addresses().resp, "PING\r\n").await.is_err());

    // A half-written file is an error, and changes nothing.
    fs::write(directory.path().join("node-1.crt"), "-----BEGIN CERT").unwrap();
    assert!(nodes[0].reload_certificates().unwrap_err().to_string().contains("node-1.crt"));
    serves(&nodes, &new_client).await;

    // A member that comes and the others find each other by the new certificates.
    new.issue(Kind::Member, ALWAYS).write(directory.path(), "node-4");
    let seed = vec![nodes[1].addresses().grpc.clone()];
    nodes.push(start(directory.path(), 4, Start::Join(seed)).await);
    ready(&nodes, 4).await;
    serves(&nodes, &new_client).await;
    let page = metrics(&nodes[3], &new_client).await;
    assert!(page.contains("predis_tls_handshakes_total{port=\"members\",result=\"completed\"}"), "{page}");
    for node in nodes {
        node.shutdown().await;
    }
}
