//! Tenants: created, changed, removed, with or without their users.
//!
//! What becomes of a removed tenant's data is for the nodes, which see it gone.

use crate::{
    ClusterState, NewTenant, Outcome, Rejected, Tenant, TenantSettings,
    limits::{self, MAX_TENANTS, ensure_room},
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
    expect: Option<&TenantSettings>,
) -> Result<Outcome, Rejected> {
    limits::settings(settings)?;
    let tenant = find(state, id)?;
    if expect.is_some_and(|expected| *expected != tenant.settings) {
        return Err(Rejected::TenantMoved { tenant: id });
    }
    tenant.settings.clone_from(settings);
    Ok(Outcome::Done)
}

pub(super) fn remove(state: &mut ClusterState, id: TenantId, with_users: bool) -> Result<Outcome, Rejected> {
    if id == TenantId::default() {
        return Err(Rejected::DefaultTenant);
    }
    find(state, id)?;
    if let Some(user) = state.users_of(id).next().filter(|_| !with_users) {
        return Err(Rejected::TenantHasUser { tenant: id, user: user.name.clone() });
    }
    state.users.retain(|_, user| user.tenant != id);
    state.tenants.remove(&id);
    Ok(Outcome::Done)
}

fn find(state: &mut ClusterState, tenant: TenantId) -> Result<&mut Tenant, Rejected> {
    state.tenants.get_mut(&tenant).ok_or(Rejected::UnknownTenant { tenant })
}
