//! ACL and its subcommands, those that ask. Users are made through the admin API. Knows nothing of what they do.

use crate::{CommandId, CommandSpec, Flag, Group, Role};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] = &[CommandSpec::new(CommandId::Acl, -2, Group::Server, "6.0.0")
    .summary("Commands about users and what they may do")
    .complexity("Depends on the subcommand")
    .subcommands(SUBCOMMANDS)];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::AclCat, -2, Group::Server, "6.0.0")
        .summary("Lists the categories, or the commands of one")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale]),
    CommandSpec::new(CommandId::AclGetuser, 3, Group::Server, "6.0.0")
        .summary("Tells what a user may do")
        .complexity("O(1)")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .role(Role::Admin),
    CommandSpec::new(CommandId::AclList, 2, Group::Server, "6.0.0")
        .summary("Lists the users and what they may do")
        .complexity("O(N), N being the users")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .role(Role::Admin),
    CommandSpec::new(CommandId::AclLog, -2, Group::Server, "6.0.0")
        .summary("Lists what this node refused, or forgets it")
        .complexity("O(N), N being the entries asked for")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .role(Role::Admin),
    CommandSpec::new(CommandId::AclUsers, 2, Group::Server, "6.0.0")
        .summary("Lists the names of the users")
        .complexity("O(N), N being the users")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .role(Role::Admin),
    CommandSpec::new(CommandId::AclWhoami, 2, Group::Server, "6.0.0")
        .summary("Tells the name of the connection's user")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale]),
    CommandSpec::new(CommandId::AclHelp, 2, Group::Server, "6.0.0")
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale]),
];
