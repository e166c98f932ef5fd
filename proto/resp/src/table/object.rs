//! OBJECT and its subcommands. Knows nothing of how values are stored.

use crate::{Category, CommandId, CommandSpec, Flag, Group, KeyFlag};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] =
    &[CommandSpec::new(CommandId::Object, -2, Group::Generic, "2.2.3")
        .summary("Commands about the values stored")
        .complexity("Depends on the subcommand")
        .subcommands(SUBCOMMANDS)];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::ObjectEncoding, 3, Group::Generic, "2.2.3")
        .summary("Tells how a value is represented")
        .complexity("O(1)")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace])
        .tips(&["nondeterministic_output"])
        .key(2, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::ObjectRefcount, 3, Group::Generic, "2.2.3")
        .summary("Tells how often a value is referenced")
        .complexity("O(1)")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace])
        .tips(&["nondeterministic_output"])
        .key(2, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::ObjectIdletime, 3, Group::Generic, "2.2.3")
        .summary("Tells for how many seconds a key was not used")
        .complexity("O(1)")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace])
        .tips(&["nondeterministic_output"])
        .key(2, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::ObjectFreq, 3, Group::Generic, "4.0.0")
        .summary("Tells how frequently a key is used, on a logarithmic scale")
        .complexity("O(1)")
        .flags(&[Flag::Readonly])
        .categories(&[Category::Keyspace])
        .tips(&["nondeterministic_output"])
        .key(2, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::ObjectHelp, 2, Group::Generic, "6.2.0")
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Keyspace]),
];
