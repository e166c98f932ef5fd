//! `predis bench`: drives a Redis-compatible server, or a cluster of them, and says how fast it answered.
//!
//! ```text
//!   seed --> plan: requests drawn beforehand --> split by slot, shared among connections
//!   connect --> [fill] --> [warm-up] --> measured run --> report
//! ```
//! Each phase runs over the same connections. Does not know what a server does with a request.

mod args;
mod drive;
mod pace;
mod plan;
mod report;
mod tally;

pub(crate) use args::BenchArgs;

use crate::{
    failure::Failure,
    output,
    wire::{Dialer, SlotMap, Wire},
};
use anyhow::{Context, anyhow};
use drive::{Outcome, Phase, Sender, drive};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plan::{Encoder, Feed, Op};
use report::Report;
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

/// How long the measured run takes when nothing is said.
const DEFAULT_SECONDS: u64 = 10;

/// How many requests a connection sends at once while keys are filled in.
const FILL_PIPELINE: usize = 64;

/// Runs the benchmark and prints the result on standard output.
pub(crate) fn run(args: &BenchArgs) -> Result<(), Failure> {
    let dialer = args.dialer()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start threads").map_err(Failure::failed)?;
    let report = runtime.block_on(bench(args, &dialer))?;
    if args.json {
        output::print(serde_json::to_string(&report).map_err(Failure::failed)?)?;
    } else {
        output::print(report.to_string().trim_end())?;
    }
    if report.is_failure() {
        return Err(Failure::failed(anyhow!("every request was answered with an error")));
    }
    Ok(())
}

/// What a phase does.
struct Work {
    name: &'static str,
    ops: Vec<Op>,
    requests: Option<u64>,
    limit: Option<Duration>,
    rate: Option<u64>,
    pipeline: usize,
}

async fn bench(args: &BenchArgs, dialer: &Dialer) -> Result<Report, Failure> {
    let mut first = dialer.connect(&args.addr).await.map_err(Failure::failed)?;
    let map = if args.cluster {
        let map = SlotMap::ask(&mut first).await.map_err(Failure::failed)?;
        if map.unserved() > 0 {
            let error =
                anyhow!("{}: {} slots of the cluster are served by nobody", args.addr, map.unserved());
            return Err(Failure::failed(error));
        }
        map
    } else {
        SlotMap::single(&args.addr)
    };
    drop(first);
    let mut wires = Vec::new();
    for node in map.nodes() {
        for _ in 0..args.connections {
            wires.push(dialer.connect(node).await.map_err(Failure::failed)?);
        }
    }
    let encoder = Arc::new(Encoder::new(args.value_size, args.seed));
    for work in before(args) {
        wires = phase(work, wires, &map, &encoder).await?.wires;
    }
    let limit = args.seconds.or(args.requests.is_none().then_some(DEFAULT_SECONDS));
    let measured = Work {
        name: "measuring",
        ops: plan::draw(args.keys, args.distribution, args.ratio, args.seed, args.requests),
        requests: args.requests,
        limit: limit.map(Duration::from_secs),
        rate: args.rate,
        pipeline: args.pipeline as usize,
    };
    let Outcome { tally, took, .. } = phase(measured, wires, &map, &encoder).await?;
    Ok(Report::new(args, map.nodes(), &tally, took))
}

/// What is done before anything is measured.
fn before(args: &BenchArgs) -> Vec<Work> {
    let unmeasured = |name, ops, requests, pipeline| Work {
        name,
        ops,
        requests: Some(requests),
        limit: None,
        rate: None,
        pipeline,
    };
    let mut works = Vec::new();
    if args.fill {
        let ops = (0..args.keys).map(Op::set).collect();
        works.push(unmeasured("filling", ops, u64::from(args.keys), FILL_PIPELINE));
    }
    if args.warmup > 0 {
        // Other requests than the measured ones, of the same kind.
        let ops = plan::draw(args.keys, args.distribution, args.ratio, !args.seed, Some(args.warmup));
        works.push(unmeasured("warming up", ops, args.warmup, args.pipeline as usize));
    }
    works
}

/// Runs one phase over the connections, with its progress on standard error when that is a terminal.
async fn phase(
    work: Work,
    wires: Vec<Wire>,
    map: &SlotMap,
    encoder: &Arc<Encoder>,
) -> Result<Outcome, Failure> {
    let senders = senders(&work, wires, map);
    let phase = Phase {
        encoder: encoder.clone(),
        pipeline: work.pipeline,
        limit: work.limit,
        progress: Arc::new(AtomicU64::new(0)),
    };
    let bar = progress(&work);
    let began = std::time::Instant::now();
    let driven = drive(senders, &phase, |answered| {
        bar.set_position(work.limit.map_or(answered, |_| began.elapsed().as_millis() as u64));
        bar.set_message(format!("{} {answered} requests", work.name));
    });
    let outcome = driven.await;
    bar.finish_and_clear();
    outcome.map_err(Failure::failed)
}

/// Gives each connection its share of its node's requests.
fn senders(work: &Work, wires: Vec<Wire>, map: &SlotMap) -> Vec<Sender> {
    let all = work.ops.len().max(1) as f64;
    let shares = plan::split(work.ops.clone(), map, work.requests);
    let mut of_node: Vec<Vec<Wire>> = map.nodes().iter().map(|_| Vec::new()).collect();
    for wire in wires {
        if let Some(node) = map.nodes().iter().position(|node| node == wire.addr()) {
            of_node[node].push(wire);
        }
    }
    let mut senders = Vec::new();
    for (share, wires) in shares.into_iter().zip(of_node) {
        let connections = wires.len();
        // A connection's part of the rate, which is in proportion to its node's part of the requests.
        let every = work.rate.filter(|_| !share.ops.is_empty()).map(|rate| {
            let of_node = rate as f64 * share.ops.len() as f64 / all;
            Duration::from_secs_f64((connections as f64 / of_node).min(1e9))
        });
        let feeds = Feed::share(share.ops, connections, share.requests);
        for (index, (wire, feed)) in wires.into_iter().zip(feeds).enumerate() {
            let pace = every.map(|every| (every, every.mul_f64(index as f64 / connections as f64)));
            senders.push(Sender { wire, feed, pace });
        }
    }
    senders
}

/// A bar on standard error, which shows nothing when that is no terminal.
fn progress(work: &Work) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {eta} left");
    let length = work.limit.map(|limit| limit.as_millis() as u64).or(work.requests);
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
