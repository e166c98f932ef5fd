//! `predis server`: one node, until it is told to stop.
//!
//! Settings come from flags, then `PREDIS_*` variables, then the file, then defaults: see [`crate::config`]. Knows
//! nothing of what a node does.

mod admin_token;
pub(crate) mod bind;
mod reload;
mod settings;
mod size;

pub(crate) use settings::{profile, tls};
pub(crate) use size::parse as parse_size;

use crate::{
    config::{Flags, Resolved, Sources, Variables},
    failure::Failure,
    logging, stop,
};
use admin_token::AdminTokenError;
use anyhow::{Context, anyhow};
use clap::Args;
use predis_node::{BootError, Ending, IDENTITY_FILE, Node, NodeConfig, Start, system::DataDirError};
use reload::Reload;
use std::path::{Path, PathBuf};
use stop::{Hangups, Signals};

/// Run one node.
#[derive(Debug, Default, Args)]
pub(crate) struct ServerArgs {
    /// Settings as TOML; flags and PREDIS_* variables win over it [env: PREDIS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Found a cluster
    #[arg(long, conflicts_with = "join")]
    bootstrap: bool,
    #[command(flatten)]
    flags: Flags,
}

impl ServerArgs {
    /// These arguments together with the environment of this process.
    pub(crate) fn sources(self) -> Sources {
        let ServerArgs { config, bootstrap, flags } = self;
        Sources { config, bootstrap, flags, variables: Variables::of_process() }
    }
}

/// Runs a node until a signal or a failure ends it.
pub(crate) fn run(args: ServerArgs) -> Result<(), Failure> {
    let sources = args.sources();
    let resolved = sources.resolve().map_err(Failure::usage)?;
    let filter = logging::filter(&resolved.file.log).map_err(Failure::usage)?;
    let refilter = logging::start(resolved.file.log_format, filter);
    if let Err(error) = predis_node::system::forbid_core_dumps() {
        tracing::warn!(%error, "core dumps cannot be forbidden: one would hold keys, values and secrets");
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads").map_err(Failure::failed)?;
    runtime.block_on(async {
        let mut signals = Signals::install().map_err(Failure::failed)?;
        // From here on SIGHUP ends nothing; one that comes before the node is up is heard when it is.
        let hangups = Hangups::install().map_err(Failure::failed)?;
        let data_dir = &resolved.file.data_dir;
        let io = predis_node::system::open(data_dir).map_err(data_dir_failure)?;
        let config = config(&resolved, sources.bootstrap)?;
        // Joining may take a while: a signal ends that too.
        let node = tokio::select! {
            booted = predis_node::boot(config, io) => booted.map_err(boot_failure)?,
            signal = signals.next() => {
                tracing::info!(signal, "stopped before the node was up");
                return Ok(());
            }
        };
        let addrs = node.addresses();
        tracing::info!(resp = addrs.resp, grpc = addrs.grpc, metrics = addrs.metrics, "listening");
        serve(node, signals, hangups, Reload::new(sources, resolved, refilter)).await
    })
}

/// Keeps a node running until it ends, or a signal ends it.
async fn serve(
    mut node: Node,
    mut signals: Signals,
    mut hangups: Hangups,
    mut reload: Reload,
) -> Result<(), Failure> {
    let ended = loop {
        tokio::select! {
            ending = node.ended() => break Some(ending),
            signal = signals.next() => {
                tracing::info!(signal, "stopping");
                break None;
            }
            () = hangups.next() => reload.run(&node),
        }
    };
    node.shutdown().await;
    match ended {
        Some(Ending::Failed(reason)) => Err(Failure::failed(anyhow!("the node cannot go on: {reason}"))),
        Some(Ending::Left) => {
            tracing::info!("this node has left the cluster: its data directory is of no more use");
            Ok(())
        }
        None => {
            tracing::info!("stopped");
            Ok(())
        }
    }
}

/// What the node is booted with. For a founding that is to require authentication the first token is made.
fn config(resolved: &Resolved, bootstrap: bool) -> Result<NodeConfig, Failure> {
    let file = &resolved.file;
    let mut config = settings::node(file, bootstrap);
    config.max_clients = affordable_clients(config.max_clients);
    if let Start::Bootstrap(founding) = &mut config.start
        && file.require_auth
        && !has_identity(&file.data_dir)
    {
        let (digest, path) = admin_token::prepare(&file.data_dir).map_err(admin_token_failure)?;
        tracing::info!(file = %path.display(), "the token of the user admin is in this file");
        founding.admin = Some(digest.to_string());
    }
    Ok(config)
}

/// Whether a data directory belongs to a node already, which cannot found another cluster.
fn has_identity(data_dir: &Path) -> bool {
    data_dir.join(IDENTITY_FILE).exists()
}

/// As many clients as the limit on open files allows of those wanted.
fn affordable_clients(wanted: usize) -> usize {
    let affordable = predis_node::system::affordable_clients(wanted);
    if affordable < wanted {
        tracing::warn!(wanted, affordable, "the limit on open files allows fewer clients than max_clients");
    }
    affordable
}

/// What is wrong with a data directory: the user's choice of it, or the system's state.
pub(crate) fn data_dir_failure(error: DataDirError) -> Failure {
    match error {
        DataDirError::Foreign { .. } => Failure::usage(error),
        DataDirError::Unusable { .. } | DataDirError::InUse { .. } => Failure::failed(error),
    }
}

/// What is wrong with the first token: what the file is, or the system's state.
fn admin_token_failure(error: AdminTokenError) -> Failure {
    match error {
        AdminTokenError::NoToken { .. } | AdminTokenError::Shared { .. } => Failure::usage(error),
        AdminTokenError::File { .. } | AdminTokenError::NoRandomness(_) => Failure::failed(error),
    }
}

/// What is wrong with a boot: what was asked for, or what happened.
pub(crate) fn boot_failure(error: BootError) -> Failure {
    match error {
        BootError::AlreadyMember { .. }
        | BootError::Left { .. }
        | BootError::OtherCluster { .. }
        | BootError::NoCluster
        | BootError::Tls(_) => Failure::usage(error),
        BootError::Bind { .. }
        | BootError::Data(_)
        | BootError::Refused { .. }
        | BootError::JoinTimedOut { .. }
        | BootError::BadAnswer { .. }
        | BootError::Raft(_) => Failure::failed(error),
    }
}
