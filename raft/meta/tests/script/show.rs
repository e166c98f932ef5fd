//! A state in words, for people to review.

use predis_meta::{ClusterState, Member, PartitionState, Tenant, User};
use std::fmt::{Display, Write};

/// Items with commas between.
pub fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

/// Everything but the audit log.
pub fn state(state: &ClusterState) -> String {
    let mut text = String::new();
    let Some(info) = state.cluster() else { return "  no cluster\n".to_owned() };
    let partitions = info.partitions.get();
    writeln!(text, "  cluster {} partitions {partitions} copies {}", info.id, info.copies).unwrap();
    state.nodes().values().for_each(|member| text += &node(member));
    for (id, held) in state.partitions().iter().enumerate() {
        text += &partition(id, held);
    }
    state.tenants().values().for_each(|held| text += &tenant(held));
    state.users().values().for_each(|held| text += &user(held));
    for (key, value) in state.config() {
        writeln!(text, "  config {key} = {value}").unwrap();
    }
    for (role, lease) in state.roles() {
        writeln!(text, "  role {role} {} token {} until {}", lease.holder, lease.token, lease.until_ms)
            .unwrap();
    }
    let (node, tenant) = (state.next_node_id(), state.next_tenant_id());
    writeln!(text, "  next node {node} tenant {tenant} token {}", state.next_fencing_token()).unwrap();
    text
}

fn node(member: &Member) -> String {
    let Member {
        id,
        name,
        addrs,
        zone,
        region,
        weight,
        mode,
        status,
        incarnation,
        metadata_version,
        joined_at_ms,
        changed_at_ms,
    } = member;
    format!(
        "  node {id}/{incarnation} {name} {status} {mode} weight {weight} understands {metadata_version} \
         zone {zone:?} region {region:?} at {} {} {} joined {joined_at_ms} changed {changed_at_ms}\n",
        addrs.resp, addrs.grpc, addrs.metrics
    )
}

fn partition(id: usize, held: &PartitionState) -> String {
    let PartitionState { epoch, primary, replicas, in_sync, version, lost, lost_at_ms } = held;
    let lost = lost_at_ms.map_or(String::new(), |at_ms| format!(" lost {lost} at {at_ms}"));
    format!(
        "  partition {id} epoch {epoch} version {version} primary {} seats [{}] in sync [{}]{lost}\n",
        or_dash(*primary),
        list(replicas),
        list(in_sync)
    )
}

fn tenant(tenant: &Tenant) -> String {
    let (settings, placement) = (&tenant.settings, tenant.placement);
    let quota = |name: &str, most: Option<u64>| most.map_or(String::new(), |most| format!(" {name} {most}"));
    format!(
        "  tenant {} {} {placement} {} {} memory {}{}{} created {}\n",
        tenant.id,
        tenant.name,
        settings.ack,
        settings.policy,
        or_dash(settings.memory_bytes),
        quota("ops", settings.max_ops_per_second),
        quota("connections", settings.max_connections),
        tenant.created_at_ms
    )
}

fn user(user: &User) -> String {
    let User { name, tenant, role, enabled, tokens, created_at_ms } = user;
    let disabled = if *enabled { "" } else { " disabled" };
    let mut text = format!("  user {name} tenant {tenant} {role}{disabled} created {created_at_ms}\n");
    for token in tokens {
        let until = token.expires_at_ms.map_or(String::new(), |end| format!(" until {end}"));
        let (id, hash) = (&token.id, &token.hash[..8]);
        writeln!(text, "    token {id} {hash}.. created {}{until}", token.created_at_ms).unwrap();
    }
    text
}

/// The audit log.
pub fn audit(state: &ClusterState) -> String {
    let mut text = String::new();
    for entry in state.audit() {
        let (index, at_ms) = (entry.index, entry.at_ms);
        writeln!(text, "  {index} at {at_ms} {}: {} {}", entry.actor, entry.action, entry.subject).unwrap();
    }
    text
}
