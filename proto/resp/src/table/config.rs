//! CONFIG and its subcommands. Knows none of the parameters.

use crate::{CommandId, CommandSpec, Flag, Group, Role};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] =
    &[CommandSpec::new(CommandId::Config, -2, Group::Server, "2.0.0")
        .summary("Commands about the server's configuration")
        .complexity("Depends on the subcommand")
        .role(Role::Operator)
        .subcommands(SUBCOMMANDS)];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::ConfigGet, -3, Group::Server, "2.0.0")
        .summary("Reads the parameters that match")
        .complexity("O(N), N being the parameters asked for")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale]),
    CommandSpec::new(CommandId::ConfigSet, -4, Group::Server, "2.0.0")
        .summary("Changes parameters")
        .complexity("O(N), N being the parameters given")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    CommandSpec::new(CommandId::ConfigResetstat, 2, Group::Server, "2.0.0")
        .summary("Sets the statistics back to zero")
        .complexity("O(1)")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale]),
    CommandSpec::new(CommandId::ConfigHelp, 2, Group::Server, "5.0.0")
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale])
        .role(Role::Operator),
];
