//! PARTITION and its subcommands: one partition's share of the commands over all keys. Predis's own, for clients
//! that put such a command together from the shares of all nodes. Knows nothing of what they do.

use crate::{Category, CommandId, CommandSpec, Flag, Group};

/// The version of Predis that brought them.
const SINCE: &str = "0.1.0";

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] =
    &[CommandSpec::new(CommandId::Partition, -2, Group::Generic, SINCE)
        .summary("Commands about the keys of one partition")
        .complexity("Depends on the subcommand")
        .subcommands(SUBCOMMANDS)];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::PartitionFlush, 3, Group::Generic, SINCE)
        .summary("Removes every key of a partition")
        .complexity("O(N), N being the keys of the partition")
        .flags(&[Flag::Write])
        .categories(&[Category::Keyspace, Category::Dangerous]),
    CommandSpec::new(CommandId::PartitionKeys, 4, Group::Generic, SINCE)
        .summary("Lists the keys of a partition that match a pattern")
        .complexity("O(N), N being the keys of the partition")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace, Category::Dangerous]),
    CommandSpec::new(CommandId::PartitionLen, 3, Group::Generic, SINCE)
        .summary("Counts the keys of a partition")
        .complexity("O(1)")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace]),
    CommandSpec::new(CommandId::PartitionRandomkey, 3, Group::Generic, SINCE)
        .summary("Answers a key of a partition, chosen by chance")
        .complexity("O(1)")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace]),
    CommandSpec::new(CommandId::PartitionScan, -4, Group::Generic, SINCE)
        .summary("Walks over the keys of a partition step by step")
        .complexity("O(1) for every call; O(N) for the whole iteration over N keys")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace]),
    CommandSpec::new(CommandId::PartitionHelp, 2, Group::Generic, SINCE)
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale]),
];
