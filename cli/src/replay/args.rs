//! The arguments of `predis replay`. Does not know what is done with them.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use predis_policy::PolicyKind;
use predis_shard::Cost;
use predis_types::{PartitionCount, SLOTS};
use serde::Serialize;

use super::cache_size::CacheSize;

/// Run a trace through the eviction policies and print their hit ratios.
///
/// Each request reads its key and, on a miss, stores an object of the declared size, with the code that a node
/// runs.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReplayArgs {
    /// CSV with the header time,key,size, plain or compressed with zstd; - for standard input.
    ///
    /// The time is in seconds, the size in bytes.
    pub(crate) trace: PathBuf,

    /// How much fits: a number of objects or bytes, or a percentage of all that the trace asks for.
    #[arg(long, value_name = "N|N%")]
    pub(crate) cache_size: CacheSize,

    /// What the cache size counts.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: SizeUnit,

    /// The policies to compare; all of them when none is named.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = policy_kind())]
    pub(crate) policy: Vec<PolicyKind>,

    /// How many partitions share the cache: a power of two.
    #[arg(long, value_name = "N", default_value = "1", value_parser = partition_count)]
    pub(crate) partitions: PartitionCount,

    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

impl ReplayArgs {
    /// The policies asked for, each once, in the order given; all of them when none was named.
    pub(crate) fn policies(&self) -> Vec<PolicyKind> {
        let asked: &[PolicyKind] = if self.policy.is_empty() { &PolicyKind::ALL } else { &self.policy };
        let mut policies = Vec::new();
        for kind in asked {
            if !policies.contains(kind) {
                policies.push(*kind);
            }
        }
        policies
    }
}

/// What a cache size counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SizeUnit {
    /// Every object counts as one.
    #[default]
    Objects,
    /// An object counts as its declared size.
    Bytes,
}

impl SizeUnit {
    /// How a shard counts costs in this unit.
    pub(crate) fn cost(self) -> Cost {
        match self {
            SizeUnit::Objects => Cost::Object,
            SizeUnit::Bytes => Cost::Value,
        }
    }

    /// The word for a number of these.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SizeUnit::Objects => "objects",
            SizeUnit::Bytes => "bytes",
        }
    }
}

/// Reads the name of a policy; help and errors list the names there are.
fn policy_kind() -> impl TypedValueParser<Value = PolicyKind> {
    PossibleValuesParser::new(PolicyKind::ALL.map(PolicyKind::name))
        .try_map(|name| name.parse::<PolicyKind>())
}

/// Reads a number of partitions; what is wrong with it is said in one way, however it is wrong.
fn partition_count(text: &str) -> Result<PartitionCount, String> {
    let count = text.parse().ok().and_then(PartitionCount::new);
    count.ok_or_else(|| format!("partitions must be a power of two from 1 to {SLOTS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_a_power_of_two() {
        assert_eq!(partition_count("256").map(PartitionCount::get), Ok(256));
        for wrong in ["", "0", "3", "-1", "32768", "65537", "x"] {
            assert!(partition_count(wrong).unwrap_err().contains("power of two"), "{wrong}");
        }
    }
}
