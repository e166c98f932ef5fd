//! The admin API's `Tenants` service.

use super::{change::Admin, guard::Permit, view};
use predis_meta::{Ack, Action, ClusterState, NewTenant, Outcome, Tenant, TenantPlacement, TenantSettings};
use predis_policy::PolicyKind;
use predis_proto::admin::{
    CreateTenantReply, CreateTenantRequest, ListTenantsReply, ListTenantsRequest, RemoveTenantReply,
    RemoveTenantRequest, UpdateTenantReply, UpdateTenantRequest, tenants_server,
};
use predis_types::TenantId;
use tonic::{Request, Response, Status};

/// The service.
pub(super) struct Tenants(pub(super) Admin);

#[tonic::async_trait]
impl tenants_server::Tenants for Tenants {
    async fn list(&self, request: Request<ListTenantsRequest>) -> Result<Response<ListTenantsReply>, Status> {
        let permit = Permit::of(&request)?;
        let state = self.0.read_for(&permit).await?.state;
        let seen = state.tenants().values().filter(|tenant| permit.covers(tenant.id));
        let tenants = seen.map(|tenant| view::tenant(&state, tenant)).collect();
        Ok(Response::new(ListTenantsReply { tenants }))
    }

    async fn create(
        &self,
        request: Request<CreateTenantRequest>,
    ) -> Result<Response<CreateTenantReply>, Status> {
        let permit = Permit::of(&request)?;
        let request = request.into_inner();
        let outcome = self.0.change(&permit, |state, _| {
            let placement = match request.placement.as_str() {
                "" => TenantPlacement::Spread,
                text => text.parse().map_err(Status::invalid_argument)?,
            };
            let policy = match request.policy.as_str() {
                "" => state.tenants().get(&TenantId::default()).map(|tenant| tenant.settings.policy.clone()),
                text => Some(policy(text)?),
            };
            let settings = TenantSettings {
                ack: if request.ack.is_empty() { Ack::Async } else { ack(&request.ack)? },
                policy: policy.unwrap_or_default(),
                memory_bytes: request.memory_bytes,
                max_ops_per_second: request.max_ops_per_second,
                max_connections: request.max_connections,
            };
            let id = state.next_tenant_id();
            let tenant = NewTenant { id, name: request.name.clone(), placement, settings };
            Ok(Some(Action::CreateTenant { tenant }))
        });
        match outcome.await? {
            Outcome::TenantCreated { tenant } => Ok(Response::new(CreateTenantReply { id: tenant.0 })),
            other => Err(Status::internal(format!("unexpected outcome {other:?}"))),
        }
    }

    async fn update(
        &self,
        request: Request<UpdateTenantRequest>,
    ) -> Result<Response<UpdateTenantReply>, Status> {
        let permit = Permit::of(&request)?;
        let request = request.into_inner();
        let changed = self.0.change(&permit, |state, _| {
            let tenant = find(state, &request.name)?;
            let settings = changed(&tenant.settings, &request)?;
            let tenant_id = tenant.id;
            Ok((settings != tenant.settings).then(|| {
                let expect = Some(tenant.settings.clone());
                Action::UpdateTenant { tenant: tenant_id, settings, expect }
            }))
        });
        changed.await?;
        Ok(Response::new(UpdateTenantReply {}))
    }

    async fn remove(
        &self,
        request: Request<RemoveTenantRequest>,
    ) -> Result<Response<RemoveTenantReply>, Status> {
        let permit = Permit::of(&request)?;
        let name = request.into_inner().name;
        let changed = self.0.change(&permit, |state, _| {
            let tenant = find(state, &name)?.id;
            Ok(Some(Action::RemoveTenant { tenant, with_users: false }))
        });
        changed.await?;
        Ok(Response::new(RemoveTenantReply {}))
    }
}

/// The tenant of this name.
pub(super) fn find<'a>(state: &'a ClusterState, name: &str) -> Result<&'a Tenant, Status> {
    state.tenant_named(name).ok_or_else(|| {
        let name: String = name.chars().take(80).collect();
        Status::not_found(format!("there is no tenant {name:?}"))
    })
}

/// The settings after what is given in the request; a quota of 0 ends it.
fn changed(now: &TenantSettings, request: &UpdateTenantRequest) -> Result<TenantSettings, Status> {
    let limit = |now: Option<u64>, asked: Option<u64>| match asked {
        None => now,
        Some(0) => None,
        some => some,
    };
    Ok(TenantSettings {
        ack: request.ack.as_deref().map_or(Ok(now.ack), ack)?,
        policy: request.policy.as_deref().map_or_else(|| Ok(now.policy.clone()), policy)?,
        memory_bytes: limit(now.memory_bytes, request.memory_bytes),
        max_ops_per_second: limit(now.max_ops_per_second, request.max_ops_per_second),
        max_connections: limit(now.max_connections, request.max_connections),
    })
}

fn policy(text: &str) -> Result<String, Status> {
    let kind: PolicyKind =
        text.parse().map_err(|error| Status::invalid_argument(format!("policy: {error}")))?;
    Ok(kind.name().to_owned())
}

fn ack(text: &str) -> Result<Ack, Status> {
    text.parse().map_err(Status::invalid_argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_stays_and_zero_ends_a_quota() {
        let now = TenantSettings {
            memory_bytes: Some(1),
            max_connections: Some(2),
            ..TenantSettings::unlimited(Ack::Async, "lru")
        };
        let nothing = UpdateTenantRequest::default();
        assert_eq!(changed(&now, &nothing).unwrap(), now);
        let some = UpdateTenantRequest {
            policy: Some("fifo".into()),
            memory_bytes: Some(0),
            max_ops_per_second: Some(7),
            ..nothing
        };
        let after = changed(&now, &some).unwrap();
        let wanted =
            TenantSettings { policy: "fifo".into(), memory_bytes: None, max_ops_per_second: Some(7), ..now };
        assert_eq!(after, wanted);
    }
}
