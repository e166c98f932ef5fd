//! Commands about the connection itself. Knows nothing of what they do.

use crate::{Category, CommandId, CommandSpec, Flag, Group};

/// The rows of this family.
pub(super) static COMMANDS: &[CommandSpec] = &[
    CommandSpec::new(CommandId::Ping, -1, Group::Connection, "1.0.0")
        .summary("Answers PONG, or the message given")
        .complexity("O(1)")
        .flags(&[Flag::Fast])
        .categories(&[Category::Connection])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    CommandSpec::new(CommandId::Echo, 2, Group::Connection, "1.0.0")
        .summary("Answers the message given")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::Hello, -1, Group::Connection, "6.0.0")
        .summary("Chooses the protocol version, and may authenticate and name the connection")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::NoAuth, Flag::AllowBusy])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::Auth, -2, Group::Connection, "1.0.0")
        .summary("Authenticates the connection")
        .complexity("O(N), N being the passwords of the user")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::NoAuth, Flag::AllowBusy])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::Select, 2, Group::Connection, "1.0.0")
        .summary("Chooses the connection's database")
        .complexity("O(1)")
        .flags(&[Flag::Loading, Flag::Stale, Flag::Fast])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::Quit, -1, Group::Connection, "1.0.0")
        .summary("Asks the server to close the connection")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::NoAuth, Flag::AllowBusy])
        .categories(&[Category::Connection]),
    CommandSpec::new(CommandId::Reset, 1, Group::Connection, "6.2.0")
        .summary("Puts the connection back into the state it was opened in")
        .complexity("O(1)")
        .flags(&[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::NoAuth, Flag::AllowBusy])
        .categories(&[Category::Connection]),
];
