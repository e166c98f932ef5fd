//! A node that answers every method of the admin API with next to nothing, and remembers which were called.

use http_body_util::{BodyExt, Full};
use predis_proto::admin::{BackupPart, CountBackupReply, Cut, Node, Partition, StatusReply};
use predis_types::ClusterId;
use prost::Message;
use std::{
    collections::BTreeSet,
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use tokio::task::JoinHandle;
use tonic::{
    body::Body,
    codegen::{Bytes, Service},
    server::NamedService,
};

/// The cluster that it says it is of.
pub(super) const CLUSTER: ClusterId = ClusterId(7);

type Calls = Arc<Mutex<BTreeSet<String>>>;

/// The stand-in.
pub(super) struct Recorder {
    addr: SocketAddr,
    calls: Calls,
    serving: JoinHandle<()>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Recorder {
    /// One that listens.
    pub(super) async fn start() -> Recorder {
        let calls = Calls::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let incoming = futures_util::stream::unfold(listener, |listener| async {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, listener))
        });
        let routes = tonic::transport::Server::builder()
            .add_service(Cluster(calls.clone(), addr))
            .add_service(Topology(calls.clone(), addr))
            .add_service(Tenants(calls.clone(), addr))
            .add_service(Users(calls.clone(), addr))
            .add_service(Config(calls.clone(), addr))
            .add_service(Audit(calls.clone(), addr))
            .add_service(Backup(calls.clone(), addr));
        let serving = tokio::spawn(async move {
            let _ = routes.serve_with_incoming(Box::pin(incoming)).await;
        });
        Recorder { addr, calls, serving }
    }

    /// Where.
    pub(super) fn addr(&self) -> String {
        self.addr.to_string()
    }

    /// Which methods were called, as `Service/Method`.
    pub(super) fn called(&self) -> BTreeSet<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// One member, which gives its seat up as soon as it is told to.
fn status(calls: &BTreeSet<String>, addr: SocketAddr) -> Vec<u8> {
    let told = calls.contains("Cluster/SetMode");
    // After a look at the changes it is empty.
    let seats = u32::from(!calls.contains("Cluster/Watch"));
    let mode = if told { "draining" } else { "active" }.to_owned();
    let node = Node {
        id: 1,
        name: "one".into(),
        status: "up".into(),
        grpc_addr: addr.to_string(),
        mode,
        seats,
        ..Node::default()
    };
    StatusReply {
        cluster: CLUSTER.to_string(),
        nodes: vec![node],
        partition_count: 1,
        partitions: vec![Partition { primary: 1, ..Partition::default() }],
        ..StatusReply::default()
    }
    .encode_to_vec()
}

/// A message of the type that the method answers. No bytes are one of any type, with every field at its default.
fn message(method: &str, calls: &BTreeSet<String>, addr: SocketAddr) -> Vec<u8> {
    match method {
        "Cluster/Status" => status(calls, addr),
        // An empty partition.
        "Backup/Read" => BackupPart { cut: Some(Cut::default()), ..BackupPart::default() }.encode_to_vec(),
        "Backup/Count" => CountBackupReply { partitions: vec![0], counts: Vec::new() }.encode_to_vec(),
        _ => Vec::new(),
    }
}

fn answer(calls: &Calls, addr: SocketAddr, path: &str) -> http::Response<Body> {
    let method = path.strip_prefix("/predis.admin.v1.").unwrap_or(path);
    let mut calls = calls.lock().unwrap();
    calls.insert(method.to_owned());
    let message = message(method, &calls, addr);
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let trailers =
        http::HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), "0".parse().unwrap())]);
    let body = Full::new(Bytes::from(frame)).with_trailers(ready(Some(Ok::<_, Infallible>(trailers))));
    let response = http::Response::builder().header("content-type", "application/grpc");
    response.body(Body::new(body)).unwrap()
}

macro_rules! services {
    ($($name:ident)+) => {
        $(
            #[derive(Clone)]
            struct $name(Calls, SocketAddr);

            impl NamedService for $name {
                const NAME: &'static str = concat!("predis.admin.v1.", stringify!($name));
            }

            impl Service<http::Request<Body>> for $name {
                type Response = http::Response<Body>;
                type Error = Infallible;
                type Future = Ready<Result<http::Response<Body>, Infallible>>;

                fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                    Poll::Ready(Ok(()))
                }

                fn call(&mut self, request: http::Request<Body>) -> Self::Future {
                    ready(Ok(answer(&self.0, self.1, request.uri().path())))
                }
            }
        )+
    };
}

services! { Cluster Topology Tenants Users Config Audit Backup }
