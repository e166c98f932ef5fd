//! Following the topology: from which node, when from another one, and what is believed.

use super::rig::view_of;
use crate::{BoxedStream, CallError, Client, Config, Connecting, Connector, Setback, View};
use futures_util::stream::{Stream, unfold};
use predis_proto::admin::{
    self, FollowRequest, TopologyView,
    topology_server::{Topology, TopologyServer},
};
use predis_types::SplitMix64;
use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};
use tonic::{Request, Response, Status, transport::Server};

type Sender = mpsc::UnboundedSender<Result<TopologyView, Status>>;

/// What one node's gRPC port does.
#[derive(Default)]
struct Script {
    /// The views of those who follow it now.
    followers: Vec<Sender>,
    /// What followers get first.
    first: Option<TopologyView>,
    /// Or how they are refused.
    refusal: Option<Status>,
    followed: usize,
}

/// gRPC ports over pipes.
#[derive(Clone, Default)]
struct Grpc(Arc<Mutex<BTreeMap<String, Script>>>);

struct Port(Grpc, String);

impl Grpc {
    fn script<T>(&self, node: u64, with: impl FnOnce(&mut Script) -> T) -> T {
        with(self.0.lock().unwrap().entry(format!("node{node}:7379")).or_default())
    }

    /// Followers of a node get this view first.
    fn first(&self, node: u64, view: &View) {
        self.script(node, |script| script.first = Some(message(view)));
    }

    fn followed(&self, node: u64) -> usize {
        self.script(node, |script| script.followed)
    }

    /// Sends to those who follow a node now.
    fn send(&self, node: u64, message: &TopologyView) {
        let sent = |sender: &Sender| sender.send(Ok(message.clone())).is_ok();
        self.script(node, |script| script.followers.retain(sent));
    }

    /// Ends the streams of a node.
    fn hang_up(&self, node: u64) {
        self.script(node, |script| script.followers.clear());
    }

    async fn client(&self, seeds: &[u64]) -> Result<Client, CallError> {
        let seeds = seeds.iter().map(|node| format!("node{node}:7379"));
        let config = Config::new(seeds).deadline(Duration::from_secs(4));
        Client::connect_with(config, Arc::new(self.clone()), Box::new(SplitMix64::new(1))).await
    }
}

impl Connector for Grpc {
    fn connect(&self, addr: &str) -> Connecting {
        if !self.0.lock().unwrap().contains_key(addr) {
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        let (near, far) = tokio::io::duplex(1 << 16);
        let service = TopologyServer::new(Port(self.clone(), addr.to_owned()));
        let incoming = futures_util::stream::iter([Ok::<_, io::Error>(far)]);
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        Box::pin(async move { Ok(Box::new(near) as BoxedStream) })
    }
}

#[tonic::async_trait]
impl Topology for Port {
    type FollowStream = Pin<Box<dyn Stream<Item = Result<TopologyView, Status>> + Send>>;

    async fn follow(&self, _: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let mut ports = self.0.0.lock().unwrap();
        let script = ports.get_mut(&self.1).unwrap();
        script.followed += 1;
        if let Some(status) = &script.refusal {
            return Err(status.clone());
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        if let Some(first) = &script.first {
            sender.send(Ok(first.clone())).unwrap();
        }
        script.followers.push(sender);
        let stream = unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        Ok(Response::new(Box::pin(stream)))
    }
}

fn message(view: &View) -> TopologyView {
    let topology = &view.topology;
    let place = |(id, info): (&predis_types::NodeId, &predis_router::NodeInfo)| admin::Place {
        id: id.0,
        resp_addr: info.resp.to_string(),
        grpc_addr: info.grpc.to_string(),
        zone: info.zone.clone(),
        region: info.region.clone(),
        up: info.up,
    };
    let owner = |owner: &predis_router::Owner| admin::Owner {
        primary: owner.primary.map_or(0, |node| node.0),
        epoch: owner.epoch.0,
        ..admin::Owner::default()
    };
    TopologyView {
        version: topology.version,
        cluster: topology.cluster.to_string(),
        partition_count: u32::from(topology.partitions.get()),
        nodes: topology.nodes.iter().map(place).collect(),
        owners: topology.owners.iter().map(owner).collect(),
        ack: "async".into(),
        ..TopologyView::default()
    }
}

fn heartbeat(version: u64) -> TopologyView {
    TopologyView { version, ..TopologyView::default() }
}

fn view(version: u64) -> View {
    view_of(version, 2, move |_| version % 2 + 1)
}

/// Until the client has a view of this version.
async fn until(client: &Client, version: u64) {
    while client.view().topology.version != version {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn views_are_followed_and_heartbeats_change_nothing() {
    let grpc = Grpc::default();
    grpc.first(1, &view(1));
    let client = grpc.client(&[9, 1]).await.unwrap();
    assert_eq!(*client.view(), view(1), "a seed that does not answer is passed over");
    grpc.send(1, &heartbeat(1));
    grpc.send(1, &message(&view(2)));
    until(&client, 2).await;
    for _ in 0..10 {
        grpc.send(1, &heartbeat(2));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!((*client.view()).clone(), view(2));
    assert_eq!(grpc.followed(1), 1, "a node that is heard is not left");
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_and_one_that_hangs_up_are_left_for_another() {
    let grpc = Grpc::default();
    grpc.first(1, &view(1));
    grpc.first(2, &view(2));
    let client = grpc.client(&[1]).await.unwrap();
    let started = Instant::now();
    until(&client, 2).await;
    assert!(started.elapsed() >= Duration::from_secs(3), "silent for three heartbeats");
    assert_eq!(grpc.followed(2), 1, "the other member is known from the view");
    grpc.first(1, &view(3));
    grpc.hang_up(2);
    until(&client, 3).await;
    assert_eq!((grpc.followed(1), grpc.followed(2)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_a_client_back_or_to_another_cluster() {
    let grpc = Grpc::default();
    grpc.first(1, &view(5));
    grpc.first(2, &view(4));
    let client = grpc.client(&[1]).await.unwrap();
    let mut stranger = view(9);
    stranger.topology.cluster = predis_types::ClusterId(2);
    grpc.first(1, &stranger);
    grpc.hang_up(1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(grpc.followed(2) >= 1);
    assert_eq!(client.view().topology.version, 5, "an older view is not taken");
    grpc.hang_up(2);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(client.view().topology.version, 5, "nor a stranger's");
    grpc.send(2, &message(&view(6)));
    until(&client, 6).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_behind_what_others_say_is_left() {
    let grpc = Grpc::default();
    grpc.first(1, &view(1));
    grpc.first(2, &view(2));
    let client = grpc.client(&[1]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    client.say_outdated();
    until(&client, 2).await;
    let after = started.elapsed();
    assert!(after >= Duration::from_millis(500) && after < Duration::from_secs(1), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_refused_or_hears_nothing_is_told_so() {
    let grpc = Grpc::default();
    grpc.script(1, |script| script.refusal = Some(Status::unauthenticated("who are you?")));
    assert_eq!(grpc.client(&[1]).await.err().unwrap(), CallError::Auth("who are you?".into()));
    let error = grpc.client(&[8, 9]).await.err().unwrap();
    let CallError::Deadline { last: Some(Setback::Unreachable { .. }), .. } = error else {
        panic!("{error}")
    };
}
