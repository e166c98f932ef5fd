//! What the program is told on the command line.

use std::{path::PathBuf, time::Duration};

const USAGE: &str = "usage: rebalance --binary PATH [--keys N] [--rate OPS] [--connections N] [--copies N] \
                     [--ack async|quorum] [--limit-ms N] [--base-port N] [--seed N] [--json true]";

/// What the program is told.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The `predis` command.
    pub(crate) binary: PathBuf,
    pub(crate) keys: u64,
    /// Operations a second.
    pub(crate) rate: u64,
    /// The client's, to each node.
    pub(crate) connections: usize,
    pub(crate) copies: u64,
    pub(crate) ack: String,
    /// How long a call may take.
    pub(crate) limit: Duration,
    pub(crate) base_port: u16,
    pub(crate) seed: u64,
    pub(crate) json: bool,
}

impl Arguments {
    /// Reads the command line.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments = Arguments {
            binary: PathBuf::new(),
            keys: 1_000_000,
            rate: 20_000,
            connections: 2,
            copies: 2,
            ack: "quorum".into(),
            limit: Duration::from_millis(250),
            base_port: 16_500,
            seed: 1,
            json: false,
        };
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name}: a value is missing\n{USAGE}"))?;
            let number = || match value.parse::<u64>() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(format!("{name} {value}: must be a number above 0\n{USAGE}")),
            };
            match name.as_str() {
                "--binary" => arguments.binary = PathBuf::from(value),
                "--keys" => arguments.keys = number()?,
                "--rate" => arguments.rate = number()?,
                "--connections" => arguments.connections = number()? as usize,
                "--copies" => arguments.copies = number()?,
                "--ack" => arguments.ack = value,
                "--limit-ms" => arguments.limit = Duration::from_millis(number()?),
                "--base-port" => arguments.base_port = number()? as u16,
                "--seed" => arguments.seed = number()?,
                "--json" => arguments.json = value == "true",
                _ => return Err(format!("{name}: no such option\n{USAGE}")),
            }
        }
        if arguments.binary.as_os_str().is_empty() {
            return Err(format!("--binary is required\n{USAGE}"));
        }
        Ok(arguments)
    }
}
