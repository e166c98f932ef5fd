//! COMMAND and its subcommands, which describe this very table.

use crate::{Category, CommandId, CommandSpec, Flag, Group};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] =
    &[CommandSpec::new(CommandId::Command, -1, Group::Server, "2.8.13")
        .summary("Describes every command")
        .complexity("O(N), N being the known commands")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .tips(&["nondeterministic_output_order"])
        .subcommands(SUBCOMMANDS)];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::CommandCount, 2, Group::Server, "2.8.13")
        .summary("Counts the commands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::CommandInfo, -2, Group::Server, "2.8.13")
        .summary("Describes the commands named, or all")
        .complexity("O(N), N being the commands asked for")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new(CommandId::CommandDocs, -2, Group::Server, "7.0.0")
        .summary("Documents the commands named, or all")
        .complexity("O(N), N being the commands asked for")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new(CommandId::CommandGetkeys, -4, Group::Server, "2.8.13")
        .summary("Finds the keys in a whole command")
        .complexity("O(N), N being the arguments of the command")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::CommandList, -2, Group::Server, "7.0.0")
        .summary("Lists the commands' names")
        .complexity("O(N), N being the known commands")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .tips(&["nondeterministic_output_order"]),
    CommandSpec::new(CommandId::CommandHelp, 2, Group::Server, "5.0.0")
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
];
