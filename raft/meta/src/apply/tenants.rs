//! Tenants and the hashes of their tokens.
//!
//! What becomes of a removed tenant's data is for the nodes, which see it gone.

use crate::{
    ClusterState, NewTenant, Outcome, Rejected, Tenant, TenantSettings, TokenHash, TokenRole,
    limits::{self, MAX_TENANTS, MAX_TOKENS, ensure_room},
};
use predis_types::TenantId;

pub(super) fn create(state: &mut ClusterState, at_ms: u64, tenant: &NewTenant) -> Result<Outcome, Rejected> {
    if tenant.id != state.next_tenant_id {
        return Err(Rejected::TenantIdMoved { given: tenant.id, next: state.next_tenant_id });
    }
    limits::tenant(tenant)?;
    ensure_room("tenant", state.tenants.len(), MAX_TENANTS)?;
    if state.tenant_named(&tenant.name).is_some() {
        return Err(Rejected::Taken { what: "tenant name".into(), name: tenant.name.clone() });
    }
    state.next_tenant_id = TenantId(tenant.id.0.saturating_add(1));
    state.tenants.insert(tenant.id, tenant.clone().into_tenant(at_ms));
    Ok(Outcome::TenantCreated { tenant: tenant.id })
}

pub(super) fn update(
    state: &mut ClusterState,
    id: TenantId,
    settings: &TenantSettings,
) -> Result<Outcome, Rejected> {
    limits::settings(settings)?;
    find(state, id)?.settings.clone_from(settings);
    Ok(Outcome::Done)
}

pub(super) fn remove(state: &mut ClusterState, id: TenantId) -> Result<Outcome, Rejected> {
    if id == TenantId::default() {
        return Err(Rejected::DefaultTenant);
    }
    find(state, id)?;
    state.tenants.remove(&id);
    Ok(Outcome::Done)
}

pub(super) fn add_token(
    state: &mut ClusterState,
    at_ms: u64,
    tenant: TenantId,
    (id, hash, role): (&str, &str, TokenRole),
) -> Result<Outcome, Rejected> {
    limits::name("id", id)?;
    limits::token_hash(hash)?;
    // A hash must lead to one tenant, and a revoked token must never work again.
    let mut tokens = state.tenants.values().flat_map(|tenant| &tenant.token_hashes);
    if tokens.any(|token| token.hash == hash) {
        return Err(Rejected::TokenInUse);
    }
    let found = find(state, tenant)?;
    if found.token_hashes.iter().any(|token| token.id == id) {
        return Err(Rejected::Taken { what: "token name".into(), name: id.to_owned() });
    }
    ensure_room("token", found.token_hashes.len(), MAX_TOKENS)?;
    let (id, hash) = (id.to_owned(), hash.to_owned());
    found.token_hashes.push(TokenHash { id, hash, role, created_at_ms: at_ms, revoked: false });
    Ok(Outcome::Done)
}

pub(super) fn revoke_token(
    state: &mut ClusterState,
    tenant: TenantId,
    id: &str,
) -> Result<Outcome, Rejected> {
    let found = find(state, tenant)?;
    let token = found.token_hashes.iter_mut().find(|token| token.id == id);
    token.ok_or_else(|| Rejected::UnknownToken { tenant, id: id.to_owned() })?.revoked = true;
    Ok(Outcome::Done)
}

fn find(state: &mut ClusterState, tenant: TenantId) -> Result<&mut Tenant, Rejected> {
    state.tenants.get_mut(&tenant).ok_or(Rejected::UnknownTenant { tenant })
}
