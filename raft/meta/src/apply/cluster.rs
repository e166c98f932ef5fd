//! The creation of the cluster, with the settings and users it begins with.
//!
//! Happens once; everything else needs it to have happened.

use super::{config, users};
use crate::{
    ClusterInfo, ClusterState, Expect, NewMember, NewTenant, NewUser, Outcome, PartitionState, Rejected,
    Replica, Status,
    limits::{self, MAX_FOUNDING_USERS, ensure},
};
use predis_types::{Epoch, Incarnation, NodeId, TenantId, limits::MAX_COPIES};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn create(
    state: &mut ClusterState,
    at_ms: u64,
    info: &ClusterInfo,
    (founder, incarnation): (&NewMember, Incarnation),
    (tenant, users): (&NewTenant, &[NewUser]),
    placement: &[Vec<NodeId>],
    config: &BTreeMap<String, String>,
) -> Result<Outcome, Rejected> {
    if state.cluster.is_some() {
        return Err(Rejected::ClusterExists);
    }
    ensure((1..=MAX_COPIES).contains(&info.copies), "copies", info.copies, "must be 1 to 5")?;
    if founder.id != state.next_node_id {
        return Err(Rejected::NodeIdMoved { given: founder.id, next: state.next_node_id });
    }
    limits::member(founder)?;
    ensure(incarnation > Incarnation(0), "incarnation", incarnation, "must be above 0")?;
    if tenant.id != state.next_tenant_id {
        return Err(Rejected::TenantIdMoved { given: tenant.id, next: state.next_tenant_id });
    }
    limits::tenant(tenant)?;
    let all = placement.len() == usize::from(info.partitions.get());
    ensure(all, "placement", placement.len(), "must have an entry for every partition")?;
    let known = placement.iter().all(|seats| seats.is_empty() || seats[..] == [founder.id]);
    ensure(known, "placement", "another node", "must seat nobody but the founder")?;
    let begun = begun_with(at_ms, (tenant, users), config)?;

    let primary = Replica { node: founder.id, incarnation };
    state.partitions = placement.iter().map(|seats| first_holders(seats, primary)).collect();
    let mut member = founder.clone().into_member(at_ms);
    (member.status, member.incarnation) = (Status::Up, incarnation);
    state.next_node_id = NodeId(founder.id.0.saturating_add(1));
    state.nodes.insert(member.id, member);
    state.next_tenant_id = TenantId(tenant.id.0.saturating_add(1));
    (state.tenants, state.users, state.config) = (begun.tenants, begun.users, begun.config);
    state.cluster = Some(info.clone());
    Ok(Outcome::Done)
}

/// Tenant, users and settings alone, in a state of their own: one that does not fit leaves nothing behind.
fn begun_with(
    at_ms: u64,
    (tenant, users): (&NewTenant, &[NewUser]),
    config: &BTreeMap<String, String>,
) -> Result<ClusterState, Rejected> {
    ensure(users.len() <= MAX_FOUNDING_USERS, "users", users.len(), "must be at most 16")?;
    let mut begun = ClusterState::default();
    begun.tenants.insert(tenant.id, tenant.clone().into_tenant(at_ms));
    for user in users {
        users::create(&mut begun, at_ms, user)?;
    }
    for (key, value) in config {
        config::set(&mut begun, key, Some(value), &Expect::Absent)?;
    }
    Ok(begun)
}

fn first_holders(seats: &[NodeId], primary: Replica) -> PartitionState {
    if seats.is_empty() {
        return PartitionState::default();
    }
    PartitionState {
        epoch: Epoch(1),
        primary: Some(primary),
        replicas: seats.to_vec(),
        in_sync: BTreeSet::from([primary]),
        version: 1,
        lost: 0,
        lost_at_ms: None,
    }
}
