//! `predis ctl`: the admin API on the command line.

mod status;
pub(crate) mod table;

use crate::{failure::Failure, logging};
use anyhow::Context;
use clap::{Args, Subcommand};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// See and change a cluster, through any of its nodes.
#[derive(Debug, Args)]
pub(crate) struct CtlArgs {
    /// A node's gRPC address.
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:7379",
        env = "PREDIS_ADDR",
        global = true
    )]
    addr: String,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// The cluster as a whole.
    #[command(subcommand)]
    Cluster(ClusterCommand),
}

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    /// Nodes, partitions and who leads.
    Status(status::StatusArgs),
}

/// Runs one command.
pub(crate) fn run(args: &CtlArgs) -> Result<(), Failure> {
    logging::init(logging::Format::Text)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start").map_err(Failure::failed)?;
    runtime.block_on(async {
        let channel = connect(&args.addr).await?;
        match &args.command {
            CtlCommand::Cluster(ClusterCommand::Status(status)) => {
                status::run(channel, status, args.json).await
            }
        }
    })
}

async fn connect(addr: &str) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{addr}"))
        .with_context(|| format!("--addr {addr:?} must be host:port"))
        .map_err(Failure::usage)?
        .connect_timeout(CONNECT_LIMIT);
    let connected = endpoint.connect().await;
    connected.with_context(|| format!("cannot connect to {addr}")).map_err(Failure::failed)
}
