//! CLIENT and its subcommands. Knows nothing of what they do.

use crate::{Category, CommandId, CommandSpec, Flag, Group, Retry};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] =
    &[CommandSpec::new(CommandId::Client, -2, Group::Connection, "2.4.0")
        .summary("Commands about client connections")
        .complexity("Depends on the subcommand")
        .subcommands(SUBCOMMANDS)];

static SUBCOMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::ClientId, 2, Group::Connection, "5.0.0")
        .summary("Tells the connection's identifier")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientInfo, 2, Group::Connection, "6.2.0")
        .summary("Describes the connection")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new(CommandId::ClientList, -2, Group::Connection, "2.4.0")
        .summary("Describes the open connections")
        .complexity("O(N), N being the open connections")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .tips(&["nondeterministic_output"]),
    CommandSpec::new(CommandId::ClientSetname, 3, Group::Connection, "2.6.9")
        .summary("Names the connection")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientGetname, 2, Group::Connection, "2.6.9")
        .summary("Tells the connection's name")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientSetinfo, 4, Group::Connection, "7.2.0")
        .summary("Records the client library's name or version")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    CommandSpec::new(CommandId::ClientNoEvict, 3, Group::Connection, "7.0.0")
        .summary("Exempts the connection from eviction of clients, or ends the exemption")
        .complexity("O(1)")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientKill, -3, Group::Connection, "2.4.0")
        .summary("Closes the connections that match")
        .complexity("O(N), N being the open connections")
        .flags(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection])
        .retry(Retry::Ambiguous),
    CommandSpec::new(CommandId::ClientCaching, 3, Group::Connection, "6.0.0")
        .summary("Says whether the next read is one that copies are kept of")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientGetredir, 2, Group::Connection, "6.0.0")
        .summary("Tells to which connection invalidations go")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientTracking, -3, Group::Connection, "6.0.0")
        .summary("Begins or ends to be told when keys change that copies are kept of")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientTrackinginfo, 2, Group::Connection, "6.2.0")
        .summary("Tells how the connection tracks")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::ClientHelp, 2, Group::Connection, "5.0.0")
        .summary("Lists the subcommands")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale])
        .categories(&[Category::Connection]),
];
