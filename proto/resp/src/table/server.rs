//! Commands about the server and the whole key space. Knows nothing of what they do.

use crate::{Category, CommandId, CommandSpec, Flag, Group};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::Info, -1, Group::Server, "1.0.0")
        .summary("Reports the server's state and statistics")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Dangerous])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    CommandSpec::new(CommandId::Dbsize, 1, Group::Server, "1.0.0")
        .summary("Counts the keys")
        .complexity("O(1)")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    CommandSpec::new(CommandId::Flushall, -1, Group::Server, "1.0.0")
        .summary("Removes every key of every database")
        .complexity("O(N), N being the keys of all databases")
        .flags(&[Flag::Write])
        .categories(&[Category::Keyspace, Category::Dangerous])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    CommandSpec::new(CommandId::Flushdb, -1, Group::Server, "1.0.0")
        .summary("Removes every key of the chosen database")
        .complexity("O(N), N being the keys of the database")
        .flags(&[Flag::Write])
        .categories(&[Category::Keyspace, Category::Dangerous])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    CommandSpec::new(CommandId::Time, 1, Group::Server, "2.6.0")
        .summary("Tells the server's time")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .tips(&["nondeterministic_output"]),
];
