//! Version 2, frozen: tokens belong to tenants and carry the role; there are no users and no quotas.
//!
//! Self-contained but for ids, so that no later change of the living types can change how old bytes are read.
//! Never edit, but for `into_next`, which follows the version after it.
//!
//! **What becomes of tokens.** The token `ID` of the tenant number `T` becomes a user of its own, named
//! `tenant-T.ID` (see [`tokens::user_name`]), of that tenant, with the token's role and that one token. A revoked
//! token's user is disabled, so the token stays known and never works again. Commands become:
//!
//! ```text
//! add_token T ID      create_user tenant-T.ID, with the token       a name or token that is taken: refused, as ever
//! revoke_token T ID   update_user tenant-T.ID, disabled             as often as one likes, as ever
//! remove_tenant T     remove_tenant T with its users                a tenant's tokens ended with it, as ever
//! ```
//! A log may reach back behind a snapshot, so applying what a command becomes must make of what a state became the
//! same as version 2 would have made before it became that. It does, up to this: version 2 refused a tenant's 65th
//! token, the present refuses the cluster's 1025th user; and the audit entry of a token whose tenant was removed
//! no longer tells the role. No program of version 2 proposed a token.

mod command;
mod shared;
mod state;
mod tokens;

pub(crate) use command::{Action, MetaCommand, NewMember, PlacementChange, PlacementKind};
pub(crate) use shared::{
    Ack, Addresses, ClusterInfo, DEFAULT_WEIGHT, Mode, NewTenant, Replica, TenantPlacement, TenantSettings,
};
pub(crate) use state::{AuditEntry, ClusterState, Member, PartitionState, Status, Tenant};

use super::{Versioned, v1};

impl Versioned for ClusterState {
    const VERSION: u32 = 2;
    type Previous = v1::ClusterState;

    fn migrate(previous: v1::ClusterState) -> Self {
        previous.into_next()
    }
}

impl Versioned for MetaCommand {
    const VERSION: u32 = 2;
    type Previous = v1::MetaCommand;

    fn migrate(previous: v1::MetaCommand) -> Self {
        previous.into_next()
    }
}
