//! The admin API from the outside: clients call the guarded services of a cluster of one, without sockets.

mod backup;
mod changes;
mod gone;
mod guard;
mod joining;
mod lockout;

use super::{Shared, audit, backup::Backup, change::Admin, cluster, config, guard::Guarded, tenants, users};
use crate::{access::Access, node::Status as Running, supervisor::Desk, tunables::Tunables};
use predis_meta::{
    Ack, Action, Addresses, ClusterInfo, ClusterState, MetaCommand, NewMember, NewTenant, TenantPlacement,
    TenantSettings, VERSION,
};
use predis_proto::admin::{
    CreateTenantRequest, CreateUserRequest, NewToken, SetConfigRequest, audit_client::AuditClient,
    audit_server::AuditServer, backup_client::BackupClient, backup_server::BackupServer,
    cluster_client::ClusterClient, cluster_server::ClusterServer, config_client::ConfigClient,
    config_server::ConfigServer, tenants_client::TenantsClient, tenants_server::TenantsServer,
    users_client::UsersClient, users_server::UsersServer,
};
use predis_raft::{BoxedStream, Connector, MemoryDisk, MetaRaft, Options, Pending, Timing};
use predis_replica::LeaseConfig;
use predis_types::{
    ClusterId, Incarnation, ManualClock, NodeId, PartitionCount, Secret, TenantId, probe::NoProbe,
};
use std::{collections::BTreeMap, io, sync::Arc, time::Duration};
use tokio::sync::watch;
use tonic::{Request, Status};

const CLUSTER: ClusterId = ClusterId(7);
const LIMIT: Duration = Duration::from_secs(5);
const START_MS: u64 = 1_700_000_000_000;

struct Refuses;

impl Connector for Refuses {
    fn connect(&self, _: &str) -> Pending<'static, io::Result<BoxedStream>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::ConnectionRefused.into())))
    }
}

fn member(node: u64) -> NewMember {
    let at = |port: u64| format!("10.0.0.{node}:{port}");
    NewMember {
        id: NodeId(node),
        name: format!("node-{node}"),
        addrs: Addresses { resp: at(1), grpc: at(2), metrics: at(3) },
        zone: String::new(),
        region: String::new(),
        weight: 100,
        metadata_version: VERSION,
    }
}

fn founding(metadata_version: u32) -> MetaCommand {
    let partitions = PartitionCount::new(4).unwrap();
    let action = Action::CreateCluster {
        info: ClusterInfo { id: CLUSTER, created_at_ms: 1, partitions, copies: 2, hash_key: [1, 2] },
        founder: NewMember { metadata_version, ..member(1) },
        incarnation: Incarnation(1),
        tenant: NewTenant {
            id: TenantId(0),
            name: "default".into(),
            placement: TenantPlacement::Spread,
            settings: TenantSettings::unlimited(Ack::Async, "lru"),
        },
        placement: vec![vec![NodeId(1)]; 4],
        config: BTreeMap::new(),
        users: Vec::new(),
    };
    MetaCommand { at_ms: 1, actor: "test".to_owned(), action }
}

/// The state of a cluster that was just founded.
pub(super) fn founded_state() -> ClusterState {
    let mut state = ClusterState::new();
    state.apply(1, &founding(VERSION)).unwrap();
    state
}

/// A member that leads a cluster of its own.
async fn leader() -> MetaRaft {
    let timing = Timing {
        heartbeat: Duration::from_millis(50),
        election_min: Duration::from_millis(200),
        election_max: Duration::from_millis(400),
        ..Timing::LAN
    };
    let options = Options {
        cluster: CLUSTER,
        node: NodeId(1),
        timing,
        snapshot_every: 1000,
        disk: Arc::new(MemoryDisk::new()),
        connector: Arc::new(Refuses),
        probe: Arc::new(NoProbe),
        seeds: BTreeMap::new(),
    };
    let meta = MetaRaft::start(options).await.unwrap();
    meta.initialize("10.0.0.1:2").await.unwrap();
    let mut seen = meta.leadership();
    while !seen.is_me {
        seen = meta.leadership_changed(seen).await;
    }
    meta
}

struct Rig {
    admin: Admin,
    shared: Shared,
    clock: Arc<ManualClock>,
    stop: watch::Sender<bool>,
}

/// A token that only the tests know, by the name of whom it is for.
fn token(name: &str) -> Secret {
    Secret::new(format!("predis_token-of-{name}"))
}

fn new_token(id: &str, secret: &Secret) -> NewToken {
    NewToken { id: id.to_owned(), sha256: secret.digest().to_string(), expires_at_ms: None }
}

/// A request with somebody's token; nobody's when the name is empty.
fn by<T>(name: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if !name.is_empty() {
        let header = format!("Bearer {}", token(name).expose()).parse().unwrap();
        request.metadata_mut().insert("authorization", header);
    }
    request
}

impl Rig {
    /// A cluster of one node, without users.
    async fn new() -> Rig {
        Rig::at(VERSION).await
    }

    /// The same with a node that reads this version of the metadata and no newer one.
    async fn at(version: u32) -> Rig {
        let meta = leader().await;
        meta.propose(&founding(version), LIMIT).await.unwrap();
        let clock = Arc::new(ManualClock::new(START_MS));
        let access = Arc::new(Access::new(clock.clone(), false));
        access.update(&meta.published());
        let desk = Arc::new(Desk::new(meta.clone(), clock.clone(), LeaseConfig::default()));
        let tunables = Tunables::of(None, 100, 0);
        let status = Arc::new(Running::new(NodeId(1), meta.clone(), None, tunables));
        let shared = Shared {
            node: NodeId(1),
            meta,
            access,
            desk,
            status,
            clock: clock.clone(),
            round_trip_ms: 0,
            limit: LIMIT,
            members_only: false,
        };
        Rig { admin: Admin::new(shared.clone()), shared, clock, stop: watch::channel(false).0 }
    }

    /// The same with a tenant `acme`, a user of each role in the default tenant by the role's name, the admin `eve`
    /// and the reader `rob` of acme, and authentication required.
    async fn with_users() -> Rig {
        let rig = Rig::new().await;
        let acme = CreateTenantRequest { name: "acme".into(), ..CreateTenantRequest::default() };
        rig.tenants().create(acme).await.unwrap();
        for role in ["read_only", "read_write", "operator", "admin"] {
            rig.create_user("", role, "", role).await.unwrap();
        }
        rig.create_user("", "eve", "acme", "admin").await.unwrap();
        rig.create_user("", "rob", "acme", "read_only").await.unwrap();
        rig.require_auth("", "yes").await.unwrap();
        rig
    }

    async fn create_user(&self, who: &str, name: &str, tenant: &str, role: &str) -> Result<(), Status> {
        let user = CreateUserRequest {
            name: name.into(),
            tenant: tenant.into(),
            role: role.into(),
            tokens: vec![new_token("first", &token(name))],
        };
        self.users().create(by(who, user)).await.map(|_| ())
    }

    async fn require_auth(&self, who: &str, value: &str) -> Result<(), Status> {
        let request = SetConfigRequest { name: "require-auth".into(), value: Some(value.into()) };
        self.config().set(by(who, request)).await.map(|_| ())
    }

    fn cluster(&self) -> ClusterClient<Guarded<ClusterServer<cluster::Cluster>>> {
        let service = cluster::Cluster::new(self.admin.clone(), self.stop.subscribe());
        ClusterClient::new(Guarded::new(&self.shared.access, ClusterServer::new(service)))
    }

    fn tenants(&self) -> TenantsClient<Guarded<TenantsServer<tenants::Tenants>>> {
        let service = TenantsServer::new(tenants::Tenants(self.admin.clone()));
        TenantsClient::new(Guarded::new(&self.shared.access, service))
    }

    fn users(&self) -> UsersClient<Guarded<UsersServer<users::Users>>> {
        let service = UsersServer::new(users::Users(self.admin.clone()));
        UsersClient::new(Guarded::new(&self.shared.access, service))
    }

    fn config(&self) -> ConfigClient<Guarded<ConfigServer<config::Config>>> {
        let service = ConfigServer::new(config::Config(self.admin.clone()));
        ConfigClient::new(Guarded::new(&self.shared.access, service))
    }

    fn audit(&self) -> AuditClient<Guarded<AuditServer<audit::Audit>>> {
        let service = AuditServer::new(audit::Audit(self.shared.clone()));
        AuditClient::new(Guarded::new(&self.shared.access, service))
    }

    fn backup(&self) -> BackupClient<Guarded<BackupServer<Backup>>> {
        let service = BackupServer::new(Backup::new(self.admin.clone(), self.stop.subscribe()));
        BackupClient::new(Guarded::new(&self.shared.access, service))
    }

    fn state(&self) -> Arc<ClusterState> {
        self.shared.meta.published().state
    }

    async fn agree(&self, action: Action) {
        let command = MetaCommand { at_ms: START_MS, actor: "test".to_owned(), action };
        self.shared.meta.propose(&command, LIMIT).await.unwrap();
        self.shared.access.update(&self.shared.meta.published());
    }

    /// Lets a second node join and boot.
    async fn join(&self, node: u64) {
        self.join_in(node, "").await;
    }

    /// Lets one more node join and boot in a region.
    async fn join_in(&self, node: u64, region: &str) {
        let joining = NewMember { region: region.to_owned(), ..member(node) };
        let NewMember { id, addrs, zone, region, metadata_version, .. } = joining.clone();
        self.agree(Action::IssueNode { member: joining }).await;
        let incarnation = Incarnation(1);
        self.agree(Action::Boot { node: id, incarnation, addrs, zone, region, metadata_version }).await;
    }
}
