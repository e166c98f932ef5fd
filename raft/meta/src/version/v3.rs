//! Version 3, frozen: an in-sync set changes alone, and nobody says which versions it understands.
//!
//! Self-contained but for ids, so that no later change of the living types can change how old bytes are read.
//! Never edit, but for `into_next`, which follows the version after it. As long as version 4 is the present one, its
//! shapes are also written, for members that read no other (see `backward.rs`).
//!
//! **What members understand.** A program of version 4 says so to those of version 3 where they keep it without
//! looking at it: behind its metrics address, `HOST:PORT;4`. Taking that off here, and putting it back when version 3
//! is written, loses nothing: members of both versions come to the same state from any snapshot and any log.

mod command;
mod shared;
mod state;
mod users;

pub(crate) use command::{Action, Expect, MetaCommand, NewMember, PlacementChange, PlacementKind};
pub(crate) use shared::{
    Ack, Addresses, ClusterInfo, Mode, NewTenant, Replica, TenantPlacement, TenantSettings, understanding,
};
pub(crate) use state::{AuditEntry, ClusterState, Member, PartitionState, RoleLease, Status, Tenant};
pub(crate) use users::{NewToken, NewUser, Token, User, UserRole};

use super::{Versioned, v2};

impl Versioned for ClusterState {
    const VERSION: u32 = 3;
    type Previous = v2::ClusterState;

    fn migrate(previous: v2::ClusterState) -> Self {
        previous.into_next()
    }
}

impl Versioned for MetaCommand {
    const VERSION: u32 = 3;
    type Previous = v2::MetaCommand;

    fn migrate(previous: v2::MetaCommand) -> Self {
        previous.into_next()
    }
}
