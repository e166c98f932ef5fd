//! The arguments of `predis demo`. Does not know what is done with them.

use super::{cluster::NODES, workload::Workload};
use crate::{failure::Failure, server::parse_size, trace::is_standard_input};
use anyhow::anyhow;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use predis_policy::PolicyKind;
use std::{
    io::{IsTerminal, stdin, stdout},
    path::PathBuf,
};

/// Requests a second that are asked for on average, when nothing is said.
const LIVE_RATE: u64 = 20_000;
const HEADLESS_RATE: u64 = 2_000;

/// See a cluster work, lose a node and recover, beside what plain caches would have scored.
///
/// Starts three nodes in this process and asks them for the objects of a catalogue whose popularity drifts, with
/// scans and a daily wave in between, or for those of a trace. At half time one node is killed.
#[derive(Args, Clone, Debug)]
pub(crate) struct DemoArgs {
    /// Ask for what this trace asks for: CSV with the header time,key,size, plain or compressed with zstd.
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// How long the workload is.
    #[arg(long, value_name = "N", default_value_t = 75, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) seconds: u64,
    /// How many requests a second it has on average [default: 20000; 2000 with --headless].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(super) rate: Option<u64>,
    /// Show no live view: send one request after the other, as fast as they are answered, and print the result.
    #[arg(long)]
    pub(super) headless: bool,
    /// Print one JSON report instead of a summary; implies --headless.
    #[arg(long)]
    pub(super) json: bool,
    /// What everything random begins with.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// How much memory each node's keys may take, as 512kb or 8mb [default: a fifteenth of all that is asked for].
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub(super) memory: Option<u64>,
    /// How the nodes evict.
    #[arg(long, value_name = "NAME", default_value = "s3fifo", value_parser = policy_kind())]
    pub(super) policy: PolicyKind,
    /// Which node is killed at half time. The first founds the cluster and leads it at first.
    #[arg(long, value_name = "N", default_value_t = NODES as u64, value_parser = clap::value_parser!(u64).range(1..=NODES as u64))]
    pub(super) kill: u64,
}

impl DemoArgs {
    /// Whether there is no live view: it was not asked for, or there is no terminal to show it on.
    pub(super) fn is_headless(&self) -> bool {
        self.headless || self.json || !stdin().is_terminal() || !stdout().is_terminal()
    }

    /// The place of the node that is killed.
    pub(super) fn victim(&self) -> usize {
        // It is in the range from 1 to the number of nodes.
        self.kill as usize - 1
    }

    /// How many requests the workload has at the most.
    pub(super) fn requests(&self) -> u64 {
        let usual = if self.is_headless() { HEADLESS_RATE } else { LIVE_RATE };
        self.rate.unwrap_or(usual).saturating_mul(self.seconds)
    }

    /// What is asked.
    pub(super) fn workload(&self) -> Result<Workload, Failure> {
        match &self.trace {
            None => Ok(Workload::Generated { seed: self.seed }),
            Some(path) if is_standard_input(path) => Err(Failure::usage(anyhow!(
                "--trace reads the trace twice, and standard input is read once: give a file"
            ))),
            Some(path) => Ok(Workload::Trace { path: path.clone() }),
        }
    }
}

/// The least memory a node can be given: enough for sixteen of the largest objects.
const MIN_MEMORY_BYTES: u64 = 64 * 1024;

fn memory(text: &str) -> Result<u64, String> {
    let bytes = parse_size(text)?;
    if bytes < MIN_MEMORY_BYTES {
        return Err(format!("must be at least {MIN_MEMORY_BYTES} bytes, got {text:?}"));
    }
    Ok(bytes)
}

/// What a node gets when nothing is said: all nodes together a fifth of what the workload asks for.
pub(super) fn usual_memory(footprint_bytes: u64) -> u64 {
    (footprint_bytes / 5 / NODES as u64).max(MIN_MEMORY_BYTES)
}

/// Reads the name of a policy; help and errors list the names there are.
fn policy_kind() -> impl TypedValueParser<Value = PolicyKind> {
    PossibleValuesParser::new(PolicyKind::ALL.map(PolicyKind::name))
        .try_map(|name| name.parse::<PolicyKind>())
}
