//! What the program is told on the command line.

use std::{path::PathBuf, time::Duration};

const USAGE: &str = "usage: client_restarts --binary PATH [--ops N] [--workers N] [--nodes N] [--connections N] \
                     [--deadline-ms N] [--cut-every-ms N] [--base-port N] [--seed N]";

/// What the program is told.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The `predis` command.
    pub(crate) binary: PathBuf,
    /// How many operations at least.
    pub(crate) ops: u64,
    /// How many tasks make them, one after the other.
    pub(crate) workers: u64,
    pub(crate) nodes: usize,
    /// The client's, to each node.
    pub(crate) connections: usize,
    pub(crate) deadline: Duration,
    /// How often a node's client connections are cut.
    pub(crate) cut_every: Duration,
    pub(crate) base_port: u16,
    pub(crate) seed: u64,
}

impl Arguments {
    /// Reads the command line.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments = Arguments {
            binary: PathBuf::new(),
            ops: 1_000_000,
            workers: 64,
            nodes: 3,
            connections: 1,
            deadline: Duration::from_secs(10),
            cut_every: Duration::from_millis(10),
            base_port: 16_000,
            seed: 1,
        };
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name}: a value is missing\n{USAGE}"))?;
            let number =
                || value.parse::<u64>().map_err(|_| format!("{name} {value}: must be a number\n{USAGE}"));
            match name.as_str() {
                "--binary" => arguments.binary = PathBuf::from(value),
                "--ops" => arguments.ops = number()?,
                "--workers" => arguments.workers = number()?,
                "--nodes" => arguments.nodes = number()? as usize,
                "--connections" => arguments.connections = number()? as usize,
                "--deadline-ms" => arguments.deadline = Duration::from_millis(number()?),
                "--cut-every-ms" => arguments.cut_every = Duration::from_millis(number()?.max(1)),
                "--base-port" => arguments.base_port = number()? as u16,
                "--seed" => arguments.seed = number()?,
                _ => return Err(format!("{name}: no such option\n{USAGE}")),
            }
        }
        if arguments.binary.as_os_str().is_empty() {
            return Err(format!("--binary is required\n{USAGE}"));
        }
        Ok(arguments)
    }
}
