//! Role leases: taken, renewed, given back.
//!
//! Times are the proposers' and may disagree; a lease taken too early costs the old holder its work, never the
//! cluster its safety, because the fencing token moves on.

use super::members::ensure_live;
use crate::{
    ClusterState, Outcome, Rejected, Replica, RoleLease,
    limits::{self, MAX_ROLES, ensure, ensure_room},
};

pub(super) fn acquire(
    state: &mut ClusterState,
    at_ms: u64,
    role: &str,
    holder: Replica,
    token: u64,
    until_ms: u64,
) -> Result<Outcome, Rejected> {
    limits::name("role", role)?;
    ensure(until_ms > at_ms, "until_ms", until_ms, "must be after at_ms")?;
    ensure_live(state, holder)?;
    if is_held(state, role, holder, token) {
        state.roles.insert(role.to_owned(), RoleLease { holder, token, until_ms });
        return Ok(Outcome::RoleHeld { token });
    }
    match state.roles.get(role) {
        None => ensure_room("role", state.roles.len(), MAX_ROLES)?,
        Some(lease) => {
            let foreign = lease.holder != holder && state.is_live(lease.holder);
            if foreign && lease.until_ms > at_ms {
                let (holder, until_ms) = (lease.holder, lease.until_ms);
                return Err(Rejected::RoleHeld { role: role.to_owned(), holder, until_ms });
            }
        }
    }
    if token != state.next_fencing_token {
        return Err(Rejected::TokenMoved { given: token, expected: state.next_fencing_token });
    }
    state.next_fencing_token = token.saturating_add(1);
    state.roles.insert(role.to_owned(), RoleLease { holder, token, until_ms });
    Ok(Outcome::RoleHeld { token })
}

pub(super) fn release(
    state: &mut ClusterState,
    role: &str,
    holder: Replica,
    token: u64,
) -> Result<Outcome, Rejected> {
    if !is_held(state, role, holder, token) {
        return Err(Rejected::RoleNotHeld { role: role.to_owned(), holder, token });
    }
    state.roles.remove(role);
    Ok(Outcome::Done)
}

fn is_held(state: &ClusterState, role: &str, holder: Replica, token: u64) -> bool {
    state.roles.get(role).is_some_and(|lease| lease.holder == holder && lease.token == token)
}
