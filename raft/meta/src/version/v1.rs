//! Version 1, frozen: members with one address and no weight; no tokens, no dynamic settings, no roles.
//!
//! Self-contained but for ids, so that no later change of the living types can change how old bytes are read.
//! Never edit, but for `into_next`, which follows the version after it.

mod command;
mod shared;
mod state;

pub(crate) use command::MetaCommand;
pub(crate) use state::ClusterState;

use super::{Nothing, Versioned};

impl Versioned for ClusterState {
    const VERSION: u32 = 1;
    type Previous = Nothing;

    fn migrate(previous: Nothing) -> Self {
        match previous {}
    }
}

impl Versioned for MetaCommand {
    const VERSION: u32 = 1;
    type Previous = Nothing;

    fn migrate(previous: Nothing) -> Self {
        match previous {}
    }
}
