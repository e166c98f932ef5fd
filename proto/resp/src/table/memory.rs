//! MEMORY and its subcommands. Knows nothing of what they do.

use crate::{CommandId, CommandSpec, Flag, Group, KeyFlag};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] =
    &[CommandSpec::new(CommandId::Memory, -2, Group::Server, "4.0.0")
        .summary("Commands about memory")
        .complexity("Depends on the subcommand")
        .subcommands(SUBCOMMANDS)];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::MemoryUsage, -3, Group::Server, "4.0.0")
        .summary("Estimates the memory a key takes")
        .complexity("O(N), N being the samples taken")
        .flags(&[Flag::Readonly])
        .key(2, &[KeyFlag::Ro]),
    CommandSpec::new(CommandId::MemoryHelp, 2, Group::Server, "4.0.0")
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale]),
];
