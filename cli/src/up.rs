//! `predis up`: a cluster on this machine, in one process, for trying things out.
//!
//! Each node has a runtime of its own, as it would have a process of its own.

use crate::{
    failure::Failure,
    logging, output,
    server::{boot_failure, data_dir_failure, parse_size, profile},
    stop::Signals,
};
use anyhow::{Context, anyhow};
use clap::Args;
use predis_node::{Founding, Node, NodeConfig, Start, plan};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::runtime::Runtime;

/// How far the ports of each kind lie from the base.
const PROXY_OFFSET: u16 = 100;
const GRPC_OFFSET: u16 = 200;
const METRICS_OFFSET: u16 = 300;

/// How many client connections each node takes, where the system's limits allow it.
const CLIENTS: usize = 10_000;

/// How often it is looked whether the cluster is up.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long the cluster may take to come up.
const READY_LIMIT: Duration = Duration::from_secs(60);

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

/// A node and the threads it runs on.
struct Running {
    runtime: Runtime,
    node: Node,
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
            ready = ready(&nodes) => ready.map(|()| None),
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
    for Running { runtime, node } in nodes.into_iter().rev() {
        runtime.block_on(node.shutdown());
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
    tracing::info!("stopped");
    result
}

fn start(args: &UpArgs, root: &Path, number: u16, max_clients: usize) -> Result<Running, Failure> {
    let port = |offset: u16| format!("127.0.0.1:{}", args.base_port + offset + number - 1);
    let directory = root.join(format!("node-{number}"));
    let start = match number {
        _ if directory.join(predis_node::IDENTITY_FILE).exists() => Start::Resume,
        1 => Start::Bootstrap(Founding::default()),
        _ => Start::Join(vec![format!("127.0.0.1:{}", args.base_port + GRPC_OFFSET)]),
    };
    let config = NodeConfig {
        name: format!("node-{number}"),
        listen: port(0),
        grpc: port(GRPC_OFFSET),
        metrics: port(METRICS_OFFSET),
        advertise: None,
        zone: String::new(),
        region: String::new(),
        weight: 100,
        memory_bytes: args.memory,
        tls: None,
        start,
        max_clients,
        timeout_s: 0,
        exposed: false,
        proxy_listen: (number == 1).then(|| port(PROXY_OFFSET)),
        profile: profile(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name(format!("node-{number}"))
        .enable_all()
        .build()
        .context("cannot start threads")
        .map_err(Failure::failed)?;
    let io = predis_node::system::open(&directory).map_err(data_dir_failure)?;
    let node = runtime.block_on(predis_node::boot(config, io)).map_err(boot_failure)?;
    Ok(Running { runtime, node })
}

/// Waits until every node serves and every partition is where it should be.
async fn ready(nodes: &[Running]) -> anyhow::Result<()> {
    let missing = || {
        for Running { node, .. } in nodes {
            if let Err(missing) = node.ready() {
                return Some(format!("{}: {missing}", node.addresses().resp));
            }
            let state = node.meta().published().state;
            if state.nodes().len() < nodes.len() {
                return Some("not all nodes have joined".to_owned());
            }
            let plan = plan(&state);
            if !plan.changes.is_empty() || !plan.moves.is_empty() {
                return Some("partitions are being placed".to_owned());
            }
        }
        None
    };
    let looking = async {
        while missing().is_some() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let waited = tokio::time::timeout(READY_LIMIT, looking).await;
    waited.map_err(|_| {
        anyhow!("the cluster is not up after {READY_LIMIT:?}: {}", missing().unwrap_or_default())
    })
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
