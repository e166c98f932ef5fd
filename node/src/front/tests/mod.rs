//! The front from the outside: a rig that is one real node without sockets, and what clients do to it.
//!
//! ```text
//! Client --duplex pipe--> Front --> Shards           ManualClock
//!                           |---> MetaRaft, a group of one member on a disk in memory
//! ```

mod clients;
mod cluster;
mod commands;
mod config;
mod info;
mod keyspace;
mod protocol;
mod routing;
mod tenants;
mod tracking;
mod users;

use super::{Door, Front, Tracking, TrackingSink};
use crate::{
    access::Access,
    agent,
    io::{Incoming, Listener},
    lease::Lease,
    serving::{Parts, Serving},
    shards::{Shards, ShardsConfig},
    tunables::Tunables,
};
use bytes::BytesMut;
use predis_meta::{
    Ack, Action, Addresses, ClusterInfo, InSyncChange, NewMember, NewTenant, PartitionState, PlacementChange,
    PlacementKind, Replica, TenantPlacement, TenantSettings, VERSION,
};
use predis_raft::{BoxedStream, Connector, MemoryDisk, MetaRaft, Options, Pending, Timing};
use predis_replica::{HandOverConfig, Life};
use predis_resp::{Reply, ReplyDecoder, encode_command};
use predis_router::Topology;
use predis_types::{
    ClusterId, Incarnation, ManualClock, NodeId, PartitionCount, PartitionId, SplitMix64, TenantId,
    probe::NoProbe,
};
use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::{mpsc, watch},
    task::JoinHandle,
};

const CLUSTER: ClusterId = ClusterId(7);
const ME: Life = Life { node: NodeId(1), incarnation: Incarnation(1) };
const OTHER: Replica = Replica { node: NodeId(2), incarnation: Incarnation(1) };
const START_MS: u64 = 1_700_000_000_123;
/// What the node's keys may take.
const MEMORY_BYTES: u64 = 64 << 20;
const LIMIT: Duration = Duration::from_secs(5);
/// Room in a pipe, each way.
const PIPE_BYTES: usize = 64 * 1024;

struct Refuses;

impl Connector for Refuses {
    fn connect(&self, _: &str) -> Pending<'static, io::Result<BoxedStream>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::ConnectionRefused.into())))
    }
}

/// Hands out the far ends of pipes.
struct Doors(mpsc::UnboundedReceiver<Incoming>);

impl Listener for Doors {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(([127, 0, 0, 1], 7001).into())
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        Box::pin(async { self.0.recv().await.ok_or_else(|| io::ErrorKind::BrokenPipe.into()) })
    }
}

struct Rig {
    serving: Arc<Serving>,
    front: Arc<Front>,
    clock: Arc<ManualClock>,
    door: mpsc::UnboundedSender<Incoming>,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    next_port: std::cell::Cell<u16>,
}

impl Rig {
    /// A node that is primary of all 16 partitions and holds its lease.
    async fn new() -> Rig {
        Rig::with_clients(1000).await
    }

    async fn with_clients(max_clients: usize) -> Rig {
        let clock = Arc::new(ManualClock::new(START_MS));
        clock.advance_ms(1);
        let meta = founded().await;
        let published = meta.published();
        let cluster = published.state.cluster().unwrap().clone();
        let lease = Arc::new(Lease::new(clock.clone()));
        lease.set(u64::MAX);
        let shards = ShardsConfig {
            identity: ME,
            partitions: cluster.partitions,
            hash_key: cluster.hash_key,
            memory_bytes: Some(MEMORY_BYTES),
            probe: Arc::new(NoProbe),
            hand_over: HandOverConfig::default(),
            stream: predis_replica::StreamConfig::default(),
        };
        let rng = Box::new(SplitMix64::new(1));
        let tracking = Tracking::new(cluster.partitions);
        let shards = Shards::new(shards, clock.clone(), lease.clone(), rng);
        let shards = Arc::new(shards.with_sink(Box::new(TrackingSink(tracking.clone()))));
        let serving = Arc::new(Serving::new(Parts {
            identity: ME,
            name: "one".to_owned(),
            clock: clock.clone(),
            lease,
            topology: Topology::empty(CLUSTER, cluster.partitions),
            shards,
            tracking,
            connector: Arc::new(Refuses),
            access: Arc::new(Access::new(clock.clone(), false)),
            meta,
            tunables: Arc::new(Tunables::of(Some(MEMORY_BYTES), max_clients, 0)),
            propose_limit: LIMIT,
            round_trip: std::time::Duration::ZERO,
            resp_addr: "127.0.0.1:7001".to_owned(),
            rng: Box::new(SplitMix64::new(2)),
        }));
        agent::apply(&serving, &published);
        let front = Front::new(serving.clone());
        let (door, doors) = mpsc::unbounded_channel();
        let (stop, stopping) = watch::channel(false);
        let served = tokio::spawn(front.clone().serve(Door::Resp, Box::new(Doors(doors)), stopping));
        Rig { serving, front, clock, door, stop, served, next_port: std::cell::Cell::new(50_000) }
    }

    fn client(&self) -> Client {
        let port = self.next_port.replace(self.next_port.get() + 1);
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        self.door.send(Incoming::plain(Box::new(far), ([10, 0, 0, 9], port).into())).unwrap();
        Client { stream: near, input: BytesMut::new(), decoder: ReplyDecoder::default() }
    }

    /// Has the cluster agree on this, and the node apply it.
    async fn agree(&self, action: Action) {
        self.serving.propose("test", action).await.unwrap();
        agent::apply(&self.serving, &self.serving.meta.published());
    }

    /// Has a second node, which joins first if need be, hold these partitions too, in sync; they are empty.
    async fn replicate(&self, partitions: &[u16]) {
        self.join().await;
        let seats =
            |now: &PartitionState, _| (PlacementKind::Seats, vec![now.primary.unwrap().node, OTHER.node]);
        self.place(partitions, seats).await;
        let state = self.serving.meta.published().state;
        let change = |partition: &u16| {
            let now = state.partition(PartitionId(*partition)).unwrap();
            InSyncChange {
                partition: PartitionId(*partition),
                epoch: now.epoch,
                version: now.version,
                in_sync: [now.primary.unwrap(), OTHER].into(),
            }
        };
        self.agree(Action::ChangeInSync { changes: partitions.iter().map(change).collect() }).await;
    }

    /// Gives these partitions to a second node, which joins first if need be.
    async fn give_away(&self, partitions: &[u16]) {
        self.join().await;
        let away = |now: &PartitionState, to| {
            (PlacementKind::HandOver { from: now.primary.unwrap(), to }, vec![OTHER.node])
        };
        self.place(partitions, away).await;
    }

    /// The second node joins, unless it has.
    async fn join(&self) {
        if self.serving.meta.published().state.node(OTHER.node).is_none() {
            self.agree(Action::IssueNode { member: member(2) }).await;
            let (node, incarnation) = (OTHER.node, OTHER.incarnation);
            let boot = Action::Boot {
                node,
                incarnation,
                addrs: addresses(2),
                zone: String::new(),
                region: String::new(),
                metadata_version: VERSION,
            };
            self.agree(boot).await;
        }
    }

    async fn place(
        &self,
        partitions: &[u16],
        how: impl Fn(&PartitionState, Replica) -> (PlacementKind, Vec<NodeId>),
    ) {
        let state = self.serving.meta.published().state;
        let change = |partition: &u16| {
            let now = state.partition(PartitionId(*partition)).unwrap();
            let (kind, replicas) = how(now, OTHER);
            let (epoch, version) = (now.epoch, now.version);
            PlacementChange { partition: PartitionId(*partition), epoch, version, replicas, kind }
        };
        self.agree(Action::Place { changes: partitions.iter().map(change).collect() }).await;
    }
}

fn addresses(node: u64) -> Addresses {
    let at = |port: u64| format!("10.0.0.{node}:{port}");
    Addresses { resp: at(7000 + node), grpc: at(7200 + node), metrics: at(7300 + node) }
}

fn member(node: u64) -> NewMember {
    NewMember {
        id: NodeId(node),
        name: format!("node-{node}"),
        addrs: addresses(node),
        zone: String::new(),
        region: String::new(),
        weight: 100,
        metadata_version: VERSION,
    }
}

/// The metadata of a cluster that this node founded.
async fn founded() -> MetaRaft {
    let timing = Timing {
        heartbeat: Duration::from_millis(50),
        election_min: Duration::from_millis(200),
        election_max: Duration::from_millis(400),
        ..Timing::LAN
    };
    let options = Options {
        cluster: CLUSTER,
        node: ME.node,
        timing,
        snapshot_every: 1000,
        disk: Arc::new(MemoryDisk::new()),
        connector: Arc::new(Refuses),
        probe: Arc::new(NoProbe),
        seeds: BTreeMap::new(),
    };
    let meta = MetaRaft::start(options).await.unwrap();
    meta.initialize("10.0.0.1:7201").await.unwrap();
    let mut seen = meta.leadership();
    while !seen.is_me {
        seen = meta.leadership_changed(seen).await;
    }
    let settings = TenantSettings::unlimited(Ack::Async, "lru");
    let partitions = PartitionCount::new(16).unwrap();
    let create = Action::CreateCluster {
        info: ClusterInfo { id: CLUSTER, created_at_ms: 1, partitions, copies: 2, hash_key: [1, 2] },
        founder: member(1),
        incarnation: ME.incarnation,
        tenant: NewTenant {
            id: TenantId(0),
            name: "default".into(),
            placement: TenantPlacement::Spread,
            settings,
        },
        placement: vec![vec![ME.node]; usize::from(partitions.get())],
        config: BTreeMap::new(),
        users: Vec::new(),
    };
    let command = predis_meta::MetaCommand { at_ms: 1, actor: "test".to_owned(), action: create };
    meta.propose(&command, LIMIT).await.unwrap();
    meta
}

struct Client {
    stream: DuplexStream,
    input: BytesMut,
    decoder: ReplyDecoder,
}

impl Client {
    async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn send(&mut self, line: &str) {
        let mut out = BytesMut::new();
        encode_command(&line.split(' ').collect::<Vec<_>>(), &mut out);
        self.raw(&out).await;
    }

    /// The next reply; `None` when the connection was closed.
    async fn try_reply(&mut self) -> Option<Reply> {
        let next = async {
            loop {
                if let Some(reply) = self.decoder.decode(&mut self.input).unwrap() {
                    return Some(reply);
                }
                match self.stream.read_buf(&mut self.input).await {
                    Ok(bytes) if bytes > 0 => {}
                    _ => return None,
                }
            }
        };
        tokio::time::timeout(LIMIT, next).await.expect("a reply in time")
    }

    async fn reply(&mut self) -> Reply {
        self.try_reply().await.expect("a reply before the connection closes")
    }

    /// Sends words and waits for the reply.
    async fn call(&mut self, line: &str) -> Reply {
        self.send(line).await;
        self.reply().await
    }

    async fn error(&mut self, line: &str) -> String {
        match self.call(line).await {
            Reply::Error(message) => message.into_owned(),
            other => panic!("{line} answered {other:?}"),
        }
    }

    /// A reply that is text.
    async fn text(&mut self, line: &str) -> String {
        text_of(&self.call(line).await)
    }

    async fn is_closed(&mut self) -> bool {
        self.try_reply().await.is_none()
    }
}

fn text_of(reply: &Reply) -> String {
    match reply {
        Reply::Bulk(bytes) | Reply::Verbatim { text: bytes, .. } => {
            String::from_utf8(bytes.to_vec()).unwrap()
        }
        Reply::Simple(text) => text.to_string(),
        other => panic!("{other:?} is no text"),
    }
}

fn items(reply: Reply) -> Vec<Reply> {
    match reply {
        Reply::Array(items) | Reply::Set(items) => items,
        other => panic!("{other:?} is no array"),
    }
}

fn bulk(text: &str) -> Reply {
    Reply::bulk(text.to_owned())
}

#[tokio::test]
async fn stopping_closes_every_connection_and_says_what_was_asked_before() {
    let rig = Rig::new().await;
    let mut busy = rig.client();
    let mut idle = rig.client();
    assert_eq!(idle.call("PING").await, Reply::simple("PONG"));
    busy.send("SET a 1").await;
    assert_eq!(busy.reply().await, Reply::ok());
    rig.stop.send(true).unwrap();
    assert!(idle.is_closed().await && busy.is_closed().await);
    rig.served.await.unwrap();
    assert_eq!(rig.front.client_count(), 0);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_in_redis_s_words() {
    let rig = Rig::with_clients(2).await;
    let (mut a, mut b) = (rig.client(), rig.client());
    assert_eq!((a.call("PING").await, b.call("PING").await), (Reply::simple("PONG"), Reply::simple("PONG")));
    let mut c = rig.client();
    assert_eq!(c.reply().await, Reply::error("ERR max number of clients reached"));
    assert!(c.is_closed().await);
    drop(a);
    while rig.front.client_count() == 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.client().call("PING").await, Reply::simple("PONG"));
    assert_eq!((rig.front.stats().connections_refused(), rig.front.stats().connections_received()), (1, 3));
}

#[tokio::test]
async fn idle_connections_are_closed_once_there_is_a_timeout() {
    let rig = Rig::new().await;
    let (mut idle, mut busy) = (rig.client(), rig.client());
    assert_eq!(idle.call("CONFIG SET timeout 10").await, Reply::ok());
    rig.clock.advance_ms(9_000);
    assert_eq!(busy.call("PING").await, Reply::simple("PONG"));
    rig.clock.advance_ms(2_000);
    assert!(idle.is_closed().await);
    assert_eq!(busy.call("PING").await, Reply::simple("PONG"));
}
