//! The gRPC port: Raft, membership and leases, replication, the admin API, health, reflection.
//!
//! One port for all. Conversions between messages and domain types live beside each service; the services of the
//! admin API are behind one guard.

mod audit;
mod backup;
mod change;
mod cluster;
mod codes;
mod config;
mod events;
mod guard;
mod lockout;
mod members_only;
mod membership;
mod recover;
mod replica;
mod settings;
mod tenants;
mod topology;
mod users;
mod view;

#[cfg(test)]
mod tests;

pub use codes::is_refusal;
pub use membership::{describe, join_through};

use crate::{
    access::Access,
    io::{Incoming, Listener, Peer},
    node::Status,
    supervisor::Desk,
};
use guard::Guarded;
use predis_proto::{
    DESCRIPTORS,
    admin::{
        audit_server::AuditServer, backup_server::BackupServer, cluster_server::ClusterServer,
        config_server::ConfigServer, tenants_server::TenantsServer, topology_server::TopologyServer,
        users_server::UsersServer,
    },
    node::node_server::NodeServer,
    replica::replica_server::ReplicaServer,
};
use predis_raft::{Accepted, MetaRaft};
use predis_types::{Clock, NodeId, limits::MAX_MESSAGE_BYTES};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::watch;

/// The Raft service's name; its type belongs to the Raft adapter.
const RAFT: &str = "predis.raft.v1.Raft";

/// The name of the service of joins and leases.
const NODE: &str = predis_proto::node::node_server::SERVICE_NAME;

/// The name of the service of replication.
const REPLICA: &str = predis_proto::replica::replica_server::SERVICE_NAME;

/// The largest message that the admin API takes.
const MAX_REQUEST_BYTES: usize = 4 << 20;

/// How many calls one connection may have under way.
const MAX_CALLS: u32 = 256;

/// How often a connection is asked whether anybody is still there: what a caller that is gone holds, such as a partition
/// that is read for a backup, is let go when it does not answer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Who calls, as far as the connection says; among the extensions of every request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Where it is.
    pub addr: SocketAddr,
    /// What its certificate proved.
    pub peer: Peer,
}

/// What the services share.
#[derive(Clone)]
pub struct Shared {
    /// Who answers.
    pub node: NodeId,
    /// The agreed metadata.
    pub meta: MetaRaft,
    /// Who is who.
    pub access: Arc<Access>,
    /// Where leases are granted while this member leads.
    pub desk: Arc<Desk>,
    /// The life that runs, if one does.
    pub status: Arc<Status>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How long one attempt at a proposal or a read may take.
    pub limit: Duration,
    /// The longest round trip between members that the cluster was founded for, in milliseconds.
    pub round_trip_ms: u32,
    /// Whether what concerns members alone is for connections with a member's certificate only.
    pub members_only: bool,
}

/// Serves until `stop` turns true.
pub async fn serve(
    shared: Shared,
    listener: Box<dyn Listener>,
    stop: watch::Receiver<bool>,
) -> Result<(), tonic::transport::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<NodeServer<membership::Membership>>().await;
    reporter.set_service_status(RAFT, tonic_health::ServingStatus::Serving).await;
    reporter.set_serving::<ReplicaServer<replica::Replication>>().await;
    reporter.set_serving::<ClusterServer<cluster::Cluster>>().await;
    reporter.set_serving::<TopologyServer<topology::Topology>>().await;
    reporter.set_serving::<TenantsServer<tenants::Tenants>>().await;
    reporter.set_serving::<UsersServer<users::Users>>().await;
    reporter.set_serving::<ConfigServer<config::Config>>().await;
    reporter.set_serving::<AuditServer<audit::Audit>>().await;
    reporter.set_serving::<BackupServer<backup::Backup>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let generated = "the descriptors were generated with the services";
    let incoming = futures_util::stream::unfold(listener, |mut listener| async {
        let accepted = accept(listener.as_mut()).await;
        Some((Ok::<_, io::Error>(accepted), listener))
    });
    let access = shared.access.clone();
    let admin = change::Admin::new(shared.clone());
    let cluster = ClusterServer::new(cluster::Cluster::new(admin.clone(), stop.clone()));
    let topology = topology::Topology::new(shared.meta.clone(), access.clone(), stop.clone());
    let topology = TopologyServer::new(topology);
    let tenants = TenantsServer::new(tenants::Tenants(admin.clone()));
    let users = UsersServer::new(users::Users(admin.clone()));
    let config = ConfigServer::new(config::Config(admin.clone()));
    let backup = BackupServer::new(backup::Backup::new(admin, stop.clone()));
    let audit = AuditServer::new(audit::Audit(shared.clone()));
    let replica = ReplicaServer::new(replica::Replication(shared.clone()))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    tonic::transport::Server::builder()
        .max_concurrent_streams(MAX_CALLS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .add_service(shared.for_members(RAFT, shared.meta.service()))
        .add_service(shared.for_members(NODE, NodeServer::new(membership::Membership(shared.clone()))))
        .add_service(shared.for_members(REPLICA, replica))
        .add_service(Guarded::new(&access, cluster.max_decoding_message_size(MAX_REQUEST_BYTES)))
        .add_service(Guarded::new(&access, topology.max_decoding_message_size(MAX_REQUEST_BYTES)))
        .add_service(Guarded::new(&access, tenants.max_decoding_message_size(MAX_REQUEST_BYTES)))
        .add_service(Guarded::new(&access, users.max_decoding_message_size(MAX_REQUEST_BYTES)))
        .add_service(Guarded::new(&access, config.max_decoding_message_size(MAX_REQUEST_BYTES)))
        .add_service(Guarded::new(&access, audit.max_decoding_message_size(MAX_REQUEST_BYTES)))
        // A key's value may be long; who calls is asked before its message is read.
        .add_service(Guarded::new(&access, backup.max_decoding_message_size(MAX_MESSAGE_BYTES)))
        .add_service(health)
        .add_service(reflection().build_v1().expect(generated))
        .add_service(reflection().build_v1alpha().expect(generated))
        .serve_with_incoming_shutdown(Box::pin(incoming), async move {
            let mut stop = stop;
            // A sender that is gone means the node is.
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .await
}

/// The next connection; a failure to accept one is waited out, it passes or the process is out of files.
async fn accept(listener: &mut dyn Listener) -> Accepted<Caller> {
    loop {
        match listener.accept().await {
            Ok(Incoming { stream, addr, peer }) => return Accepted { stream, info: Caller { addr, peer } },
            Err(error) => {
                tracing::warn!(%error, "cannot accept a gRPC connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
