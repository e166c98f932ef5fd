//! `client_restarts`: a million operations through the smart client while every node is restarted in turn.
//!
//! ```text
//! cargo build --release -p predis
//! cargo run --release -p predis-benches --bin client_restarts -- --binary target/release/predis --ops 1000000
//! ```
//! Starts three real nodes. Each worker has keys of its own and knows what they may hold: a value that was never
//! written, or that was overwritten or deleted and answered for, is a violation, and so is an increment that happens
//! twice, a key that is gone although its partition was not lost, an outcome that is unknown although the command may
//! be repeated, and an operation that outlasts its deadline. Each node is restarted twice, with SIGTERM and with
//! SIGKILL, spread evenly over the operations, and all the while client connections of living nodes are cut. Prints a line of numbers; the status is 1 when anything was violated.

mod arguments;
mod cuts;
mod losses;
mod model;
mod tally;
mod worker;

use anyhow::Context;
use arguments::Arguments;
use losses::Losses;
use predis_benches::{
    cluster::{Cluster, Signal},
    program,
};
use predis_client::{Client, Config};
use predis_types::SplitMix64;
use std::{process::ExitCode, sync::Arc, time::Instant};
use tally::Tally;
use tokio::task::JoinSet;
use worker::Worker;

fn main() -> ExitCode {
    program::run(Arguments::parse(std::env::args().skip(1)), run)
}

async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let mut cluster = Cluster::start(&arguments.binary, arguments.base_port, arguments.nodes, &[]).await?;
    let seeds = cluster.grpc_addresses();
    let config = Config::new(seeds.clone()).deadline(arguments.deadline).connections(arguments.connections);
    let client = Client::connect(config).await.context("the client cannot connect")?;
    let tally = Arc::new(Tally::new(arguments.ops));
    let losses = Arc::new(Losses::new(seeds));
    losses.look().await?;

    let started = Instant::now();
    let mut workers = JoinSet::new();
    for number in 0..arguments.workers {
        let rng = SplitMix64::new(arguments.seed.wrapping_mul(1_000_003) + number);
        let worker = Worker::new(number, client.clone(), losses.clone(), tally.clone(), rng);
        workers.spawn(worker.run(arguments.deadline));
    }
    let rng = SplitMix64::new(arguments.seed);
    let mut cutting = JoinSet::new();
    cutting.spawn(cuts::cut(cluster.resp_addresses(), arguments.cut_every, rng));
    let nodes = 0..arguments.nodes;
    let signals = [Signal::Term, Signal::Kill];
    let ends = signals.into_iter().flat_map(|signal| nodes.clone().map(move |node| (node, signal)));
    let restarts = 2 * arguments.nodes as u64;
    for (restart, (node, signal)) in (1..).zip(ends) {
        // Spread evenly over the operations.
        tally.reached(arguments.ops * restart / (restarts + 1)).await;
        cluster.restart(node, signal).await?;
        losses.look().await?;
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("{seconds:>6.1} s: node {} is back after {signal}; {}", node + 1, tally.line());
    }
    tally.restarts_are_over();
    let mut claims = Vec::new();
    while let Some(finished) = workers.join_next().await {
        claims.extend(finished.context("a worker panicked")?);
    }
    let lost = losses.look().await?;
    for claim in &claims {
        if !claim.is_covered(&lost) {
            tally.violation(format!("{claim}"));
        }
    }
    println!(
        "{} in {:.1} s, {restarts} restarts, {} partitions lost, {} keys found gone",
        tally.line(),
        started.elapsed().as_secs_f64(),
        lost.iter().sum::<u64>(),
        claims.len()
    );
    Ok(tally.report())
}
