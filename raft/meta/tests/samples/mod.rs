//! One command of every kind, and a state with something of everything in it.

use predis_meta::{
    Ack, Action, Addresses, ClusterInfo, ClusterState, Expect, InSyncChange, MetaCommand, Mode, NewMember,
    NewTenant, NewToken, NewUser, PlacementChange, PlacementKind, Replica, TenantPlacement, TenantSettings,
    UserRole, VERSION,
};
use predis_types::{ClusterId, Epoch, Incarnation, NodeId, PartitionCount, PartitionId, TenantId};
use std::collections::BTreeMap;

/// How many of [`actions`] it takes until there is something of everything, and nothing was given back yet.
#[allow(dead_code, reason = "not every test binary uses it")]
pub const FULL: usize = 15;

pub fn replica(node: u64, incarnation: u64) -> Replica {
    Replica { node: NodeId(node), incarnation: Incarnation(incarnation) }
}

pub fn command(action: Action) -> MetaCommand {
    MetaCommand { at_ms: 1234, actor: "cli".into(), action }
}

pub fn addresses(host: &str) -> Addresses {
    Addresses { resp: format!("{host}:6379"), grpc: format!("{host}:7379"), metrics: format!("{host}:9090") }
}

pub fn member(id: u64, name: &str) -> NewMember {
    NewMember {
        id: NodeId(id),
        name: name.into(),
        addrs: addresses(name),
        zone: "a".into(),
        region: "eu".into(),
        weight: 250,
        metadata_version: VERSION,
    }
}

pub fn tenant(id: u32, name: &str) -> NewTenant {
    let settings = TenantSettings {
        ack: Ack::Quorum,
        policy: "lru".into(),
        memory_bytes: Some(1 << 20),
        max_ops_per_second: Some(5000),
        max_connections: Some(100),
    };
    NewTenant { id: TenantId(id), name: name.into(), placement: TenantPlacement::Colocated, settings }
}

/// A token whose hash is the byte, 32 times.
pub fn token(id: &str, byte: u8, expires_at_ms: Option<u64>) -> NewToken {
    NewToken { id: id.into(), hash: format!("{byte:02x}").repeat(32), expires_at_ms }
}

pub fn user(name: &str, tenant: u32, role: UserRole, tokens: Vec<NewToken>) -> NewUser {
    NewUser { name: name.into(), tenant: TenantId(tenant), role, tokens }
}

pub fn create(partitions: u16) -> Action {
    Action::CreateCluster {
        info: ClusterInfo {
            id: ClusterId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
            created_at_ms: 1000,
            partitions: PartitionCount::new(partitions).unwrap(),
            copies: 2,
            hash_key: [11, u64::MAX],
        },
        founder: member(1, "n1"),
        incarnation: Incarnation(1),
        tenant: tenant(0, "default"),
        placement: vec![vec![NodeId(1)]; usize::from(partitions)],
        config: BTreeMap::from([("require-auth".to_owned(), "yes".to_owned())]),
        users: vec![user("root", 0, UserRole::Admin, vec![token("first", 0xff, None)])],
    }
}

fn change(partition: u16, replicas: &[u64], kind: PlacementKind) -> PlacementChange {
    let replicas = replicas.iter().copied().map(NodeId).collect();
    PlacementChange { partition: PartitionId(partition), epoch: Epoch(1), version: 1, replicas, kind }
}

/// One of every action. Applied in this order, each of them is accepted.
#[allow(dead_code, reason = "not every test binary uses it")]
pub fn actions() -> Vec<Action> {
    let (first, second) = (replica(1, 1), replica(2, 3));
    let in_sync = |partition, version, of: &[Replica]| InSyncChange {
        partition: PartitionId(partition),
        epoch: Epoch(1),
        version,
        in_sync: of.iter().copied().collect(),
    };
    let (shop, ann, role) = (TenantId(1), "ann".to_owned(), "trainer".to_owned());
    vec![
        create(4),
        Action::IssueNode { member: member(2, "n2") },
        Action::Boot {
            node: NodeId(2),
            incarnation: Incarnation(3),
            addrs: addresses("moved"),
            zone: "b".into(),
            region: String::new(),
            metadata_version: VERSION,
        },
        Action::SetWeight { node: NodeId(2), weight: 300 },
        Action::SetMode { node: NodeId(2), mode: Mode::Leaving },
        Action::Place {
            changes: vec![
                change(0, &[2, 1], PlacementKind::HandOver { from: first, to: second }),
                change(3, &[1, 2], PlacementKind::Seats),
            ],
        },
        Action::ChangeInSync {
            changes: vec![in_sync(3, 2, &[first, second]), in_sync(1, 1, &[first]), in_sync(2, 9, &[first])],
        },
        Action::CreateTenant { tenant: tenant(1, "shop") },
        Action::UpdateTenant {
            tenant: shop,
            settings: TenantSettings::unlimited(Ack::Async, "fifo"),
            expect: None,
        },
        Action::CreateUser {
            user: user(
                "ann",
                1,
                UserRole::ReadOnly,
                vec![token("ci", 0x0a, None), token("me", 0x0b, Some(9000))],
            ),
        },
        Action::UpdateUser { name: ann.clone(), role: Some(UserRole::Operator), enabled: Some(false) },
        Action::AddToken {
            user: ann.clone(),
            token: token("new", 0x0c, Some(99_000)),
            others_expire_at_ms: Some(20_000),
        },
        Action::RevokeToken { user: ann.clone(), id: "ci".into() },
        Action::SetConfig { key: "lease_ms".into(), value: Some("1000".into()), expect: Expect::Absent },
        Action::AcquireRole { role: role.clone(), holder: first, token: 1, until_ms: 9000 },
        Action::NodeDown { node: NodeId(2), incarnation: Incarnation(3) },
        Action::ReleaseRole { role, holder: first, token: 1 },
        Action::RemoveUser { name: ann },
        Action::RemoveTenant { tenant: shop, with_users: false },
        Action::Place { changes: restarted() },
        Action::RemoveNode { node: NodeId(2) },
    ]
}

/// Brings home what node 2 held.
fn restarted() -> Vec<PlacementChange> {
    let to = replica(1, 1);
    let mut lost = change(0, &[1], PlacementKind::Restart { to });
    (lost.epoch, lost.version) = (Epoch(3), 3);
    let mut left = change(3, &[1], PlacementKind::Seats);
    left.version = 4;
    vec![lost, left]
}

/// The state after the first `count` of [`actions`].
#[allow(dead_code, reason = "not every test binary uses it")]
pub fn state_after(count: usize) -> ClusterState {
    let mut state = ClusterState::new();
    for (index, action) in (1..).zip(actions().into_iter().take(count)) {
        let name = action.name();
        state.apply(index, &command(action)).unwrap_or_else(|rejected| panic!("{name}: {rejected}"));
        state.check().unwrap_or_else(|broken| panic!("{name}: {broken}"));
    }
    state
}
