//! Commands about when keys expire. Knows nothing of time.

use crate::{Category, CommandId, CommandSpec, Flag, Group, KeyFlag};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::Expire, -3, Group::Generic, "1.0.0")
        .summary("Makes a key expire after so many seconds")
        .complexity("O(1)")
        .flags(&[Flag::Write, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Rw, KeyFlag::Update]),
    CommandSpec::new(CommandId::Pexpire, -3, Group::Generic, "2.6.0")
        .summary("Makes a key expire after so many milliseconds")
        .complexity("O(1)")
        .flags(&[Flag::Write, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Rw, KeyFlag::Update]),
    CommandSpec::new(CommandId::Expireat, -3, Group::Generic, "1.2.0")
        .summary("Makes a key expire at a Unix time in seconds")
        .complexity("O(1)")
        .flags(&[Flag::Write, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Rw, KeyFlag::Update]),
    CommandSpec::new(CommandId::Pexpireat, -3, Group::Generic, "2.6.0")
        .summary("Makes a key expire at a Unix time in milliseconds")
        .complexity("O(1)")
        .flags(&[Flag::Write, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Rw, KeyFlag::Update]),
    CommandSpec::new(CommandId::Expiretime, 2, Group::Generic, "7.0.0")
        .summary("Tells the Unix time in seconds at which a key expires")
        .complexity("O(1)")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Ro, KeyFlag::Access]),
    CommandSpec::new(CommandId::Pexpiretime, 2, Group::Generic, "7.0.0")
        .summary("Tells the Unix time in milliseconds at which a key expires")
        .complexity("O(1)")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Ro, KeyFlag::Access]),
    CommandSpec::new(CommandId::Ttl, 2, Group::Generic, "1.0.0")
        .summary("Tells in how many seconds a key expires")
        .complexity("O(1)")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .tips(&["nondeterministic_output"])
        .key(1, &[KeyFlag::Ro, KeyFlag::Access]),
    CommandSpec::new(CommandId::Pttl, 2, Group::Generic, "2.6.0")
        .summary("Tells in how many milliseconds a key expires")
        .complexity("O(1)")
        .flags(&[Flag::Readonly, Flag::Fast])
        .categories(&[Category::Keyspace])
        .tips(&["nondeterministic_output"])
        .key(1, &[KeyFlag::Ro, KeyFlag::Access]),
    CommandSpec::new(CommandId::Persist, 2, Group::Generic, "2.2.0")
        .summary("Makes a key that expires stay")
        .complexity("O(1)")
        .flags(&[Flag::Write, Flag::Fast])
        .categories(&[Category::Keyspace])
        .key(1, &[KeyFlag::Rw, KeyFlag::Update]),
];
