//! `rebalance`: what clients notice of it when a fourth node takes its share of a million keys.
//!
//! ```text
//! cargo build --release -p predis
//! cargo run --release -p predis-benches --bin rebalance -- --binary target/release/predis
//! ```
//! Starts three real nodes and fills them. Then an open loop offers `--rate` operations a second, nine reads to a
//! write, through one smart client; each is due at its own moment, and its latency counts from then. After five
//! seconds a fourth node joins, and the loop goes on until it has its share of the primaries and every copy is in
//! sync, and three seconds more. Prints a table of latencies, or with `--json` an object. The status is 1 when a call
//! failed, or took longer than `--limit-ms`.

mod arguments;
mod load;

use anyhow::Context;
use arguments::Arguments;
use load::{Load, Phase};
use predis_benches::{cluster::Cluster, program};
use predis_client::{Client, Config, connect_admin};
use predis_proto::admin::{StatusReply, StatusRequest, cluster_client::ClusterClient};
use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// How long the loop runs before the node joins, and after all has moved.
const BEFORE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(3);

/// How long anything that is waited for may take.
const LIMIT: Duration = Duration::from_secs(300);

/// How often it is looked whether all has moved.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How keys are written at first: so many in a command, so many commands at a time.
const FILL_PAIRS: u64 = 256;
const FILL_TASKS: u64 = 8;

fn main() -> ExitCode {
    program::run(Arguments::parse(std::env::args().skip(1)), run)
}

async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let founding = ["--ack", &arguments.ack, "--copies", &arguments.copies.to_string()].map(str::to_owned);
    let founding: Vec<&str> = founding.iter().map(String::as_str).collect();
    let mut cluster = Cluster::start(&arguments.binary, arguments.base_port, 3, &founding).await?;
    let seeds = cluster.grpc_addresses();
    settled(&seeds[0], 3).await?;
    let config = Config::new(seeds.clone()).connections(arguments.connections);
    let client = Client::connect(config).await.context("the client cannot connect")?;
    let begun = Instant::now();
    fill(&client, arguments.keys).await?;
    eprintln!("{} keys after {:.1} s", arguments.keys, begun.elapsed().as_secs_f64());

    let load = Arc::new(Load::new(client, &arguments));
    let mut tasks = JoinSet::new();
    tasks.spawn(load.clone().run());
    sleep(BEFORE).await;
    load.enter(Phase::Moving);
    let begun = Instant::now();
    cluster.join().await?;
    let status = settled(&seeds[0], 4).await?;
    let moved_s = begun.elapsed().as_secs_f64();
    load.enter(Phase::After);
    sleep(AFTER).await;
    load.stop();
    tasks.join_next().await.context("the load is gone")?.context("the load panicked")?;
    Ok(load.report(moved_s, status.partitions_lost))
}

/// Writes every key once.
async fn fill(client: &Client, keys: u64) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    for task in 0..FILL_TASKS {
        let client = client.clone();
        tasks.spawn(async move {
            for first in
                (0..keys).step_by(FILL_PAIRS as usize).skip(task as usize).step_by(FILL_TASKS as usize)
            {
                let last = keys.min(first + FILL_PAIRS);
                client.mset((first..last).map(|at| (load::key(at), load::VALUE))).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(finished) = tasks.join_next().await {
        finished.context("a task panicked")?.context("cannot fill")?;
    }
    Ok(())
}

/// Waits until so many nodes are up, each with its share of the primaries, and every copy is in sync.
async fn settled(addr: &str, nodes: usize) -> anyhow::Result<StatusReply> {
    let channel = connect_admin(addr, None, None, LIMIT).await.context("cannot reach a node")?;
    let mut admin = ClusterClient::new(channel);
    let begun = Instant::now();
    loop {
        if let Ok(status) = admin.status(StatusRequest { stale: false }).await
            && is_settled(status.get_ref(), nodes)
        {
            return Ok(status.into_inner());
        }
        anyhow::ensure!(begun.elapsed() < LIMIT, "the partitions are not spread after {LIMIT:?}");
        sleep(LOOK_EVERY).await;
    }
}

fn is_settled(status: &StatusReply, nodes: usize) -> bool {
    let fair = status.partition_count / nodes as u32;
    let spread = status.nodes.iter().all(|node| node.primaries.abs_diff(fair) <= 1 + fair / 10);
    let copies = nodes.min(status.copies as usize);
    let in_sync =
        status.partitions.iter().all(|part| part.in_sync.len() == copies && part.replicas.len() == copies);
    status.nodes.len() == nodes && status.partitions_served == status.partition_count && spread && in_sync
}
