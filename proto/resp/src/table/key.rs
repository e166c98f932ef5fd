//! Commands on keys of any type, expiry excepted. Knows nothing of what they do.

use crate::{Category, CommandId, CommandSpec, Flag, Group, KeyFlag, Retry};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::Del, -2, Group::Generic, "1.0.0")
        .summary("Deletes keys")
        .complexity("O(N), N being the keys removed")
        .flags(&[Flag::Write])
        .categories(&[Category::Keyspace])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .keys_to_end(1, &[KeyFlag::Rm, KeyFlag::Delete]),
    CommandSpec::new(CommandId::Unlink, -2, Group::Generic, "4.0.0")
        .summary("Deletes keys and frees their memory later")
        .complexity("O(1) for each key; O(N) afterwards to free N allocations")
        .flags(&[Flag::Write, Flag::Fast])
        .categories(&[Category::Keyspace])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .keys_to_end(1, &[KeyFlag::Rm, KeyFlag::Delete]),
    CommandSpec::new(CommandId::Exists, -2, Group::Generic, "1.0.0")
        .summary("Counts which of the keys exist")
        .complexity("O(N), N being the keys checked")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .keys_to_end(1, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::Type, 2, Group::Generic, "1.0.0")
        .summary("Tells the type of a key's value")
        .complexity("O(1)")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::Touch, -2, Group::Generic, "3.2.1")
        .summary("Marks keys as just used and counts those that exist")
        .complexity("O(N), N being the keys touched")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .keys_to_end(1, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::Scan, -2, Group::Generic, "2.8.0")
        .summary("Walks over the keys step by step")
        .complexity("O(1) for every call; O(N) for the whole iteration over N keys")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace])
        .tips(&["nondeterministic_output", "request_policy:special"]),
    CommandSpec::new(CommandId::Wait, 3, Group::Generic, "3.0.0")
        .summary("Waits until so many replicas have what this connection wrote")
        .complexity("O(N), N being the partitions that it wrote to")
        .flags(&[Flag::Noscript])
        .categories(&[Category::Connection])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    CommandSpec::new(CommandId::Keys, 2, Group::Generic, "1.0.0")
        .summary("Lists the keys that match a pattern")
        .complexity("O(N), N being the keys of the database")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace, Category::Dangerous])
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    CommandSpec::new(CommandId::Randomkey, 1, Group::Generic, "1.0.0")
        .summary("Names a key chosen at random")
        .complexity("O(1)")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace])
        .tips(&["request_policy:all_shards", "nondeterministic_output"]),
    CommandSpec::new(CommandId::Rename, 3, Group::Generic, "1.0.0")
        .summary("Renames a key and replaces the one that had the new name")
        .complexity("O(1)")
        .flags(&[Flag::Write])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete])
        .key(2, &[KeyFlag::Ow, KeyFlag::Update])
        .retry(Retry::Ambiguous),
    CommandSpec::new(CommandId::Renamenx, 3, Group::Generic, "1.0.0")
        .summary("Renames a key unless the new name is taken")
        .complexity("O(1)")
        .flags(&[Flag::Write, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete])
        .key(2, &[KeyFlag::Ow, KeyFlag::Insert])
        .retry(Retry::Ambiguous),
    CommandSpec::new(CommandId::Copy, -3, Group::Generic, "6.2.0")
        .summary("Copies a key's value to another key")
        .complexity("O(1) for strings, O(N) for collections of N items")
        .flags(&[Flag::Write, Flag::Denyoom])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Ro, KeyFlag::Access])
        .key(2, &[KeyFlag::Ow, KeyFlag::Update])
        .retry(Retry::Ambiguous),
];
