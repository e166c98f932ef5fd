//! The commands that this node carries out itself, one file a family, and how a request finds its own.
//!
//! Commands on keys are not here: shards carry them out.

mod acl;
mod client;
mod client_kill;
mod cluster;
mod cluster_nodes;
mod command;
mod config;
mod connection;
mod info;
mod keyspace;
mod parameters;
mod partition;
mod scan;
mod server;
mod tracking;
mod wait;

use super::{Front, error::Error, session::Session};
use crate::shards::{Answer, Batch, Work};
use bytes::Bytes;
use predis_resp::{CommandId, CommandSpec, Reply, find, help_reply};
use predis_types::PartitionId;
use std::sync::Arc;

/// A request that this node carries out, its arity checked.
pub(super) struct Request<'a> {
    pub(super) front: &'a Arc<Front>,
    pub(super) session: &'a Arc<Session>,
    pub(super) spec: &'static CommandSpec,
    /// The name first.
    pub(super) args: &'a [Bytes],
}

impl Request<'_> {
    /// The partitions that may have keys of the tenant and whose primary this node is, ascending, by the state as last
    /// applied here.
    fn own_partitions(&self) -> Vec<PartitionId> {
        let (me, topology) = (Some(self.front.serving.node()), self.front.serving.topology.load());
        let home = self.session.home();
        let owned = |id: &PartitionId| topology.owner(*id).is_some_and(|owner| owner.primary == me);
        let has_keys = |id: &PartitionId| home.is_none_or(|home| home == *id);
        topology.partitions.iter().filter(|id| has_keys(id) && owned(id)).collect()
    }

    /// Refuses what concerns more than the user's own tenant, unless that is the default one, whose users look after
    /// the cluster.
    fn ensure_of_cluster(&self) -> Result<(), Error> {
        if self.is_of_cluster() {
            return Ok(());
        }
        Err(Error::OtherTenants { user: self.session.user(), command: self.spec.name })
    }

    fn is_of_cluster(&self) -> bool {
        self.session.identity().as_ref().is_some_and(|identity| identity.is_of_cluster())
    }

    /// Asks the shard of a partition; `None` when the partition is another node's by now.
    async fn ask(&self, partition: PartitionId, work: Work) -> Result<Option<Answer>, Error> {
        let batch = Batch { partition, tenant: self.session.tenant(), work, reader: None, from_copy: false };
        match self.front.serving.shards.submit(batch).answers().await.pop() {
            Some(Answer::Moved(_)) | None => Ok(None),
            Some(Answer::ClusterDown) => Err(Error::ClusterDown),
            Some(Answer::Withheld) => Err(Error::Withheld),
            Some(Answer::NoReplicas) => Err(Error::NoReplicas),
            Some(Answer::TryAgain) => Err(Error::TryAgain),
            Some(answer) => Ok(Some(answer)),
        }
    }
}

/// Carries out a request.
pub(super) async fn run(request: &Request<'_>) -> Result<Reply, Error> {
    use CommandId::*;
    match request.spec.id {
        Ping | Echo | Hello | Auth | Select | Quit | Reset => connection::run(request),
        ClientId | ClientInfo | ClientList | ClientSetname | ClientGetname | ClientSetinfo
        | ClientNoEvict => client::run(request),
        AclCat | AclGetuser | AclList | AclLog | AclUsers | AclWhoami => acl::run(request),
        PartitionFlush | PartitionKeys | PartitionLen | PartitionRandomkey | PartitionScan => {
            partition::run(request).await
        }
        ClientTracking | ClientCaching | ClientTrackinginfo | ClientGetredir => tracking::run(request),
        ClientKill => client_kill::run(request),
        Command | CommandCount | CommandInfo | CommandDocs | CommandGetkeys | CommandList => {
            command::run(request)
        }
        Info => info::run(request),
        ConfigGet | ConfigSet | ConfigResetstat => config::run(request).await,
        Dbsize | Flushall | Flushdb | Keys | Randomkey => keyspace::run(request).await,
        Scan => scan::run(request).await,
        ClusterInfo | ClusterMyid | ClusterSlots | ClusterShards | ClusterNodes | ClusterKeyslot
        | Readonly | Readwrite | Asking => cluster::run(request),
        ClusterCountkeysinslot | ClusterGetkeysinslot => cluster::run_in_slot(request).await,
        Time => Ok(server::time(request)),
        Wait => wait::run(request).await,
        AclHelp | ClientHelp | CommandHelp | ConfigHelp | MemoryHelp | ObjectHelp | ClusterHelp
        | PartitionHelp => help(request.spec),
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

fn help(spec: &CommandSpec) -> Result<Reply, Error> {
    let container = spec.name.split('|').next().and_then(|name| find(name.as_bytes()));
    container.map(help_reply).ok_or(Error::NotHere(spec.name))
}

/// Text for humans: verbatim in RESP3.
fn text(text: impl Into<Bytes>) -> Reply {
    Reply::Verbatim { format: *b"txt", text: text.into() }
}

/// Whether an argument is this word, in whatever case.
fn is(arg: &Bytes, word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}
