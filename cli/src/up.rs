//! `predis up`: a cluster on this machine, in one process, for trying things out.
//!
//! Does not know how nodes share a process.

use crate::{
    failure::Failure,
    local::{self, LocalNode, Ports},
    logging, output,
    server::{data_dir_failure, parse_size},
    stop::Signals,
};
use anyhow::Context;
use clap::Args;
use predis_node::{Founding, Start};
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// How far the ports of each kind lie from the base.
const PROXY_OFFSET: u16 = 100;
const GRPC_OFFSET: u16 = 200;
const METRICS_OFFSET: u16 = 300;

/// How many client connections each node takes, where the system's limits allow it.
const CLIENTS: usize = 10_000;

/// Run a cluster on this machine until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// How many nodes.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    nodes: u16,
    /// The first node's RESP port, the next nodes' follow; the proxy endpoint is 100 higher, gRPC 200, metrics 300.
    #[arg(long, value_name = "PORT", default_value_t = 7001, value_parser = clap::value_parser!(u16).range(1..=65_000))]
    base_port: u16,
    /// Where the nodes keep who they are; without it they are forgotten when the command ends.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How much memory each node's keys may take, as 512mb or 8gb [default: no bound].
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<u64>,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t)]
    log_format: logging::Format,
}

/// Runs the cluster until a signal.
pub(crate) fn run(args: UpArgs) -> Result<(), Failure> {
    logging::init(args.log_format)?;
    let temporary = tempfile::Builder::new().prefix("predis-up-").tempdir();
    let temporary = temporary.context("cannot create a temporary directory").map_err(Failure::failed)?;
    let root = args.data_dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    let main = Runtime::new().context("cannot start threads").map_err(Failure::failed)?;
    let mut signals = main.block_on(async { Signals::install() }).map_err(Failure::failed)?;

    let clients = predis_node::system::affordable_clients(CLIENTS * usize::from(args.nodes));
    let clients = clients / usize::from(args.nodes);
    let mut nodes = Vec::new();
    for number in 1..=args.nodes {
        nodes.push(start(&args, &root, number, clients.max(1))?);
    }
    let ended = main.block_on(async {
        tokio::select! {
            settled = local::settled(&nodes) => settled.map(|()| None),
            signal = signals.next() => Ok(Some(signal)),
        }
    });
    let result = match ended {
        Ok(None) => {
            output::print(welcome(&args))?;
            main.block_on(signals.next());
            Ok(())
        }
        Ok(Some(_)) => Ok(()),
        Err(error) => Err(Failure::failed(error)),
    };
    tracing::info!("stopping");
    // Followers first: a leader that goes last need not be replaced.
    nodes.into_iter().rev().for_each(LocalNode::stop);
    tracing::info!("stopped");
    result
}

fn start(args: &UpArgs, root: &Path, number: u16, max_clients: usize) -> Result<LocalNode, Failure> {
    let port = |offset: u16| format!("127.0.0.1:{}", args.base_port + offset + number - 1);
    let directory = root.join(format!("node-{number}"));
    let start = match number {
        _ if directory.join(predis_node::IDENTITY_FILE).exists() => Start::Resume,
        1 => Start::Bootstrap(Founding::default()),
        _ => Start::Join(vec![format!("127.0.0.1:{}", args.base_port + GRPC_OFFSET)]),
    };
    let ports = Ports {
        listen: port(0),
        proxy: (number == 1).then(|| port(PROXY_OFFSET)),
        grpc: port(GRPC_OFFSET),
        metrics: port(METRICS_OFFSET),
    };
    let config = local::config(format!("node-{number}"), ports, args.memory, max_clients, start);
    let io = predis_node::system::open(&directory).map_err(data_dir_failure)?;
    LocalNode::boot(config, io)
}

fn welcome(args: &UpArgs) -> String {
    let base = args.base_port;
    let nodes: Vec<String> = (0..args.nodes).map(|n| format!("127.0.0.1:{}", base + n)).collect();
    format!(
        "A cluster of {} is up: {}\n\
         \n  redis-cli -c -p {base}                                        any Redis Cluster client\
         \n  redis-cli -p {}                                           any Redis client, through the proxy\
         \n  predis ctl --addr 127.0.0.1:{} cluster status             how it is\
         \n  curl http://127.0.0.1:{}/metrics                          what it measures\
         \n\nCtrl-C stops it.",
        if args.nodes == 1 { "one node".to_owned() } else { format!("{} nodes", args.nodes) },
        nodes.join(" "),
        base + PROXY_OFFSET,
        base + GRPC_OFFSET,
        base + METRICS_OFFSET,
    )
}
