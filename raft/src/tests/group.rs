//! A group of members in one process, joined by pipes that can be cut.

use super::faulty_disk::FaultyDisk;
use crate::{
    disk::Pending,
    metadata::MetaRaft,
    options::{Options, Timing},
    transport::{Accepted, BoxedStream, Connector},
};
use predis_meta::{
    Ack, Action, Addresses, ClusterInfo, Expect, MetaCommand, NewMember, NewTenant, TenantPlacement,
    TenantSettings, VERSION,
};
use predis_types::{ClusterId, Incarnation, NodeId, PartitionCount, TenantId, probe::NoProbe};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::mpsc;

pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// Connects names to whoever serves under them.
#[derive(Clone, Default)]
pub(super) struct Switchboard {
    doors: Arc<Mutex<BTreeMap<String, mpsc::UnboundedSender<BoxedStream>>>>,
    cut: Arc<Mutex<BTreeSet<String>>>,
}

impl Switchboard {
    /// Refuses connections to a name from now on, or allows them again.
    pub(super) fn cut(&self, name: &str, cut: bool) {
        let mut cuts = self.cut.lock().unwrap();
        if cut {
            cuts.insert(name.to_owned())
        } else {
            cuts.remove(name)
        };
    }

    fn door(&self, name: &str) -> mpsc::UnboundedReceiver<BoxedStream> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.doors.lock().unwrap().insert(name.to_owned(), sender);
        receiver
    }
}

impl Connector for Switchboard {
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>> {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let connected = (|| {
            if self.cut.lock().unwrap().contains(addr) {
                return Err(refused());
            }
            let (near, far) = tokio::io::duplex(1 << 20);
            let doors = self.doors.lock().unwrap();
            let door = doors.get(addr).ok_or_else(refused)?;
            door.send(Box::new(far)).map_err(|_| refused())?;
            Ok(Box::new(near) as BoxedStream)
        })();
        Box::pin(std::future::ready(connected))
    }
}

pub(super) struct Group {
    pub(super) board: Switchboard,
    pub(super) members: Vec<MetaRaft>,
    pub(super) disks: Vec<FaultyDisk>,
}

pub(super) fn name(node: u64) -> String {
    format!("node-{node}:1")
}

impl Group {
    /// Members that serve; the first one also founds the cluster.
    pub(super) async fn start(count: u64) -> Group {
        Group::start_at(count, VERSION).await
    }

    /// The same with members that read this version of the metadata and no newer one.
    pub(super) async fn start_at(count: u64, version: u32) -> Group {
        let mut group = Group { board: Switchboard::default(), members: Vec::new(), disks: Vec::new() };
        for node in 1..=count {
            let disk = FaultyDisk::default();
            disk.read_up_to(version);
            group.members.push(group.member(node, &disk).await);
            group.disks.push(disk);
        }
        group.members[0].initialize(&name(1)).await.unwrap();
        group.leads(0).await;
        group.members[0].propose(&create_cluster(version), LIMIT).await.unwrap();
        for node in 2..=count {
            group.members[0].add_learner(NodeId(node), &name(node)).await.unwrap();
        }
        if count >= 3 {
            group.members[0].set_voters(&(1..=count).map(NodeId).collect()).await.unwrap();
        }
        group
    }

    pub(super) async fn member(&self, node: u64, disk: &FaultyDisk) -> MetaRaft {
        let timing = Timing {
            heartbeat: Duration::from_millis(50),
            election_min: Duration::from_millis(200),
            election_max: Duration::from_millis(400),
            ..Timing::LAN
        };
        let options = Options {
            cluster: ClusterId(7),
            node: NodeId(node),
            timing,
            snapshot_every: 20,
            disk: Arc::new(disk.clone()),
            connector: Arc::new(self.board.clone()),
            probe: Arc::new(NoProbe),
            seeds: BTreeMap::new(),
        };
        let member = MetaRaft::start(options).await.unwrap();
        let door = self.board.door(&name(node));
        let incoming = futures_util::stream::unfold(door, |mut door| async {
            door.recv().await.map(|stream| (Ok::<_, io::Error>(Accepted { stream, info: () }), door))
        });
        let service = member.service();
        tokio::spawn(async move {
            let _ = tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(Box::pin(incoming))
                .await;
        });
        member
    }

    /// Waits until this member leads.
    pub(super) async fn leads(&self, member: usize) {
        let mut seen = self.members[member].leadership();
        while !seen.is_me {
            seen = self.members[member].leadership_changed(seen).await;
        }
    }

    /// Waits until one of these members leads, and says which.
    pub(super) async fn leader_among(&self, members: &[usize]) -> usize {
        let waits = members.iter().map(|&member| {
            Box::pin(async move {
                self.leads(member).await;
                member
            })
        });
        futures_util::future::select_all(waits).await.0
    }
}

pub(super) fn command(action: Action) -> MetaCommand {
    MetaCommand { at_ms: 1, actor: "test".to_owned(), action }
}

pub(super) fn set(key: &str, value: &str) -> MetaCommand {
    let (key, value) = (key.to_owned(), Some(value.to_owned()));
    command(Action::SetConfig { key, value, expect: Expect::Any })
}

pub(super) fn create_cluster(metadata_version: u32) -> MetaCommand {
    let addrs = Addresses { resp: "a:1".into(), grpc: name(1), metrics: "a:3".into() };
    let settings = TenantSettings::unlimited(Ack::Async, "lru");
    MetaCommand {
        at_ms: 1,
        actor: "test".to_owned(),
        action: Action::CreateCluster {
            info: ClusterInfo {
                id: ClusterId(7),
                created_at_ms: 1,
                partitions: PartitionCount::new(4).unwrap(),
                copies: 2,
                hash_key: [1, 2],
            },
            founder: NewMember {
                id: NodeId(1),
                name: "one".into(),
                addrs,
                zone: String::new(),
                region: String::new(),
                weight: 100,
                metadata_version,
            },
            incarnation: Incarnation(1),
            tenant: NewTenant {
                id: TenantId(0),
                name: "default".into(),
                placement: TenantPlacement::Spread,
                settings,
            },
            placement: vec![vec![NodeId(1)]; 4],
            config: BTreeMap::new(),
            users: Vec::new(),
        },
    }
}
