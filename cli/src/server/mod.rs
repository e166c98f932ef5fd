//! `predis server`: one node, until it is told to stop.
//!
//! Settings come from flags, then `PREDIS_*` variables, then the file, then defaults. Knows nothing of what a
//! node does.

mod bind;
mod file;
mod settings;
mod size;

pub(crate) use settings::profile;
pub(crate) use size::parse as parse_size;

use crate::{failure::Failure, logging, stop};
use anyhow::Context;
use clap::Args;
use predis_node::{BootError, Ending, system::DataDirError};
use std::path::PathBuf;

/// Run one node.
#[derive(Debug, Default, Args)]
pub(crate) struct ServerArgs {
    /// Settings as TOML; flags and PREDIS_* variables win over it.
    #[arg(long, value_name = "FILE", env = "PREDIS_CONFIG")]
    config: Option<PathBuf>,
    /// The node's name, unique in the cluster [default: predis-<RESP port>].
    #[arg(long, env = "PREDIS_NAME")]
    name: Option<String>,
    /// Where clients speak RESP [default: 127.0.0.1:6379].
    #[arg(long, value_name = "HOST:PORT", env = "PREDIS_LISTEN")]
    listen: Option<String>,
    /// Where members and operators speak gRPC [default: 127.0.0.1:7379].
    #[arg(long, value_name = "HOST:PORT", env = "PREDIS_GRPC")]
    grpc: Option<String>,
    /// Where /metrics, /healthz and /readyz are served [default: 127.0.0.1:9090].
    #[arg(long, value_name = "HOST:PORT", env = "PREDIS_METRICS")]
    metrics: Option<String>,
    /// The host by which others reach this node, when it is not the one it listens on.
    #[arg(long, value_name = "HOST", env = "PREDIS_ADVERTISE")]
    advertise: Option<String>,
    /// Where the node keeps who it is and the cluster's metadata; cached data is only in memory
    /// [default: predis-data].
    #[arg(long, value_name = "DIR", env = "PREDIS_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Found a cluster.
    #[arg(long, conflicts_with = "join")]
    bootstrap: bool,
    /// Join the cluster that these gRPC addresses belong to.
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', env = "PREDIS_JOIN")]
    join: Option<Vec<String>>,
    /// How much memory the node's keys may take, as 512mb or 8gb [default: no bound].
    #[arg(long, value_name = "SIZE", env = "PREDIS_MEMORY")]
    memory: Option<String>,
    /// The region the node runs in.
    #[arg(long, env = "PREDIS_REGION")]
    region: Option<String>,
    /// The failure zone the node runs in; replicas are put into distinct ones.
    #[arg(long, env = "PREDIS_ZONE")]
    zone: Option<String>,
    /// The node's share of the partitions relative to others [default: 100].
    #[arg(long, env = "PREDIS_WEIGHT")]
    weight: Option<u32>,
    /// With --bootstrap: how many seats a partition has, the primary's included [default: 2].
    #[arg(long, value_name = "N", env = "PREDIS_COPIES")]
    copies: Option<u8>,
    /// With --bootstrap: how many partitions the slots are cut into, a power of two [default: 256].
    #[arg(long, value_name = "N", env = "PREDIS_PARTITIONS")]
    partitions: Option<u16>,
    /// With --bootstrap: the default tenant's eviction policy: lru, fifo or s3fifo [default: s3fifo].
    #[arg(long, value_name = "NAME", env = "PREDIS_POLICY")]
    policy: Option<String>,
    /// The certificate of the cluster's authority, as PEM; with it the node speaks TLS on every port.
    #[arg(long, value_name = "FILE", env = "PREDIS_TLS_AUTHORITY")]
    tls_authority: Option<PathBuf>,
    /// The node's certificate, as PEM.
    #[arg(long, value_name = "FILE", env = "PREDIS_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,
    /// The private key of the node's certificate, as PEM; a file that only its owner may read.
    #[arg(long, value_name = "FILE", env = "PREDIS_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Whether clients need a certificate: optional or required [default: optional].
    #[arg(long, value_name = "WHETHER", env = "PREDIS_TLS_CLIENTS")]
    tls_clients: Option<String>,
    /// The most client connections at a time [default: 10000].
    #[arg(long, value_name = "N", env = "PREDIS_MAX_CLIENTS")]
    max_clients: Option<usize>,
    /// Listen beyond loopback without TLS and authentication, which this version does not have yet.
    #[arg(long, env = "PREDIS_INSECURE", value_parser = clap::builder::FalseyValueParser::new())]
    insecure: bool,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t, env = "PREDIS_LOG_FORMAT")]
    log_format: logging::Format,
}

/// Runs a node until a signal or a failure ends it.
pub(crate) fn run(args: ServerArgs) -> Result<(), Failure> {
    logging::init(args.log_format)?;
    if let Err(error) = predis_node::system::forbid_core_dumps() {
        tracing::warn!(%error, "core dumps cannot be forbidden: one would hold keys, values and secrets");
    }
    let mut settings = settings::merge(args)?;
    let affordable = predis_node::system::affordable_clients(settings.node.max_clients);
    if affordable < settings.node.max_clients {
        let wanted = settings.node.max_clients;
        tracing::warn!(wanted, affordable, "the limit on open files allows fewer clients than max_clients");
        settings.node.max_clients = affordable;
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start threads").map_err(Failure::failed)?;
    runtime.block_on(async {
        let mut signals = stop::Signals::install().map_err(Failure::failed)?;
        let io = predis_node::system::open(&settings.data_dir).map_err(data_dir_failure)?;
        // Joining may take a while: a signal ends that too.
        let mut node = tokio::select! {
            booted = predis_node::boot(settings.node, io) => booted.map_err(boot_failure)?,
            signal = signals.next() => {
                tracing::info!(signal, "stopped before the node was up");
                return Ok(());
            }
        };
        let addrs = node.addresses();
        tracing::info!(resp = addrs.resp, grpc = addrs.grpc, metrics = addrs.metrics, "listening");
        let ended = tokio::select! {
            ending = node.ended() => Some(ending),
            signal = signals.next() => {
                tracing::info!(signal, "stopping");
                None
            }
        };
        node.shutdown().await;
        match ended {
            Some(Ending::Failed(reason)) => {
                Err(Failure::failed(anyhow::anyhow!("the node cannot go on: {reason}")))
            }
            Some(Ending::Left) => {
                tracing::info!("this node has left the cluster: its data directory is of no more use");
                Ok(())
            }
            None => {
                tracing::info!("stopped");
                Ok(())
            }
        }
    })
}

/// What is wrong with a data directory: the user's choice of it, or the system's state.
pub(crate) fn data_dir_failure(error: DataDirError) -> Failure {
    match error {
        DataDirError::Foreign { .. } => Failure::usage(error),
        DataDirError::Unusable { .. } | DataDirError::InUse { .. } => Failure::failed(error),
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
