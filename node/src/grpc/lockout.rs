//! Somebody must be left who may say who is who: no change may lock everybody out.
//!
//! Knows nothing of who asks for a change, nor of which.

use crate::access::{REQUIRE_AUTH, is_required};
use predis_meta::{ClusterState, UserRole};
use predis_types::TenantId;
use tonic::Status;

/// Refuses a change after which authentication is required and nobody could manage the cluster, unless that was so
/// before it.
///
/// A node that `insists` on authentication, because others can reach it, lets nobody turn it off: the nodes of such a
/// cluster would not start again.
pub(super) fn check(
    before: &ClusterState,
    after: &ClusterState,
    now_ms: u64,
    insists: bool,
) -> Result<(), Status> {
    if insists && is_required(before) && !is_required(after) {
        let rule = "must stay yes while nodes can be reached from beyond loopback, as this one can";
        return Err(Status::failed_precondition(format!("{REQUIRE_AUTH}: {rule}")));
    }
    let locked_out = |state: &ClusterState| (insists || is_required(state)) && !has_admin(state, now_ms);
    if !locked_out(after) || locked_out(before) {
        return Ok(());
    }
    let rule = "an enabled admin of the default tenant with a token that is valid must be left";
    Err(Status::failed_precondition(format!("{REQUIRE_AUTH} is yes: {rule}")))
}

fn has_admin(state: &ClusterState, now_ms: u64) -> bool {
    let mut admins = state.users_of(TenantId::default()).filter(|user| user.role == UserRole::Admin);
    admins.any(|user| {
        let valid = |token: &predis_meta::Token| token.expires_at_ms.is_none_or(|end| now_ms < end);
        user.enabled && user.tokens.iter().any(valid)
    })
}
