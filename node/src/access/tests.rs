//! Identities for tests, and who is who by a state that changes.

use super::*;
use predis_meta::{Ack, NewTenant, Tenant, TenantPlacement, TenantSettings};
use predis_resp::Role;
use predis_types::PartitionCount;

/// A user named `somebody` of a tenant with the id 1.
pub(crate) fn identity(role: Role, placement: TenantPlacement) -> Identity {
    let NewTenant { id, name, placement, settings } = NewTenant {
        id: TenantId(1),
        name: "acme".into(),
        placement,
        settings: TenantSettings::unlimited(Ack::Async, "lru"),
    };
    let tenant = Tenant { id, name, placement, settings, created_at_ms: 1 };
    let gate = Arc::new(Gate::new(&tenant, PartitionCount::new(16)));
    Identity::new(Arc::from("somebody"), gate, role)
}
