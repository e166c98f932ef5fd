//! Users and their tokens: created, changed, removed.
//!
//! A token that is taken away is forgotten: it works nowhere, until somebody adds its very hash again.

use crate::{
    ClusterState, NewToken, NewUser, Outcome, Rejected, User, UserRole,
    limits::{self, MAX_TENANT_USERS, MAX_TOKENS, MAX_USERS, RESERVED_USERS, ensure, ensure_room},
};
use predis_types::TenantId;
use std::collections::BTreeSet;

pub(super) fn create(state: &mut ClusterState, at_ms: u64, user: &NewUser) -> Result<Outcome, Rejected> {
    limits::name("name", &user.name)?;
    if !state.tenants.contains_key(&user.tenant) {
        return Err(Rejected::UnknownTenant { tenant: user.tenant });
    }
    ensure_room("user", state.users.len(), MAX_USERS)?;
    if user.tenant != TenantId::default() {
        // No tenant may keep another, nor those who look after the cluster, from having users.
        ensure_room("user of that tenant", state.users_of(user.tenant).count(), MAX_TENANT_USERS)?;
        ensure_room("user", state.users.len(), MAX_USERS - RESERVED_USERS)?;
    }
    if state.users.contains_key(&user.name) {
        return Err(Rejected::Taken { what: "user name".into(), name: user.name.clone() });
    }
    ensure(user.tokens.len() <= MAX_TOKENS, "tokens", user.tokens.len(), "must be at most 8")?;
    let (mut ids, mut hashes) = (BTreeSet::new(), BTreeSet::new());
    for token in &user.tokens {
        check_token(state, at_ms, token)?;
        if !ids.insert(&token.id) {
            return Err(Rejected::Taken { what: "token name".into(), name: token.id.clone() });
        }
        if !hashes.insert(&token.hash) {
            return Err(Rejected::TokenInUse);
        }
    }
    state.users.insert(user.name.clone(), user.clone().into_user(at_ms));
    Ok(Outcome::Done)
}

pub(super) fn update(
    state: &mut ClusterState,
    name: &str,
    role: Option<UserRole>,
    enabled: Option<bool>,
) -> Result<Outcome, Rejected> {
    let user = find(state, name)?;
    (user.role, user.enabled) = (role.unwrap_or(user.role), enabled.unwrap_or(user.enabled));
    Ok(Outcome::Done)
}

pub(super) fn remove(state: &mut ClusterState, name: &str) -> Result<Outcome, Rejected> {
    find(state, name)?;
    state.users.remove(name);
    Ok(Outcome::Done)
}

pub(super) fn add_token(
    state: &mut ClusterState,
    at_ms: u64,
    name: &str,
    token: &NewToken,
    others_expire_at_ms: Option<u64>,
) -> Result<Outcome, Rejected> {
    check_token(state, at_ms, token)?;
    let user = find(state, name)?;
    let mut tokens = user.tokens.clone();
    for other in &mut tokens {
        other.expires_at_ms = other.expires_at_ms.into_iter().chain(others_expire_at_ms).min();
    }
    // Whoever replaces its token again and again must not run out of room.
    tokens.retain(|other| other.expires_at_ms.is_none_or(|end| end > at_ms));
    if tokens.iter().any(|other| other.id == token.id) {
        return Err(Rejected::Taken { what: "token name".into(), name: token.id.clone() });
    }
    ensure_room("token", tokens.len(), MAX_TOKENS)?;
    tokens.push(token.clone().into_token(at_ms));
    user.tokens = tokens;
    Ok(Outcome::Done)
}

pub(super) fn revoke_token(state: &mut ClusterState, name: &str, id: &str) -> Result<Outcome, Rejected> {
    let user = find(state, name)?;
    let Some(at) = user.tokens.iter().position(|token| token.id == id) else {
        return Err(Rejected::UnknownToken { user: name.to_owned(), id: id.to_owned() });
    };
    user.tokens.remove(at);
    Ok(Outcome::Done)
}

/// A token's hash must lead to one user.
fn check_token(state: &ClusterState, at_ms: u64, token: &NewToken) -> Result<(), Rejected> {
    limits::name("id", &token.id)?;
    limits::token_hash(&token.hash)?;
    if let Some(end) = token.expires_at_ms {
        ensure(end > at_ms, "expires_at_ms", end, "must be in the future")?;
    }
    let mut known = state.users.values().flat_map(|user| &user.tokens);
    if known.any(|other| other.hash == token.hash) { Err(Rejected::TokenInUse) } else { Ok(()) }
}

fn find<'a>(state: &'a mut ClusterState, name: &str) -> Result<&'a mut User, Rejected> {
    state.users.get_mut(name).ok_or_else(|| Rejected::UnknownUser { name: name.to_owned() })
}
