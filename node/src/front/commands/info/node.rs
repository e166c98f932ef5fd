//! INFO on what this node is: server, clients, memory, persistence, replication, cpu, cluster.

use super::{Fields, REDIS_VERSION, Request, human};
use crate::front::commands::{cluster, connection, parameters};
use crate::front::process;
use crate::front::session::Door;
use predis_types::mix64;

const DAY_S: u64 = 24 * 60 * 60;

pub(super) fn server(request: &Request<'_>, fields: &mut Fields) {
    let serving = &request.front.serving;
    let now_us = serving.clock.mono_us();
    let uptime_s = now_us.saturating_sub(serving.booted_us) / 1_000_000;
    fields.put("redis_version", REDIS_VERSION);
    fields.put("server_name", "predis");
    fields.put("predis_version", env!("CARGO_PKG_VERSION"));
    fields.put("redis_mode", connection::mode(request.session.door));
    fields.put("os", std::env::consts::OS);
    fields.put("arch_bits", usize::BITS);
    fields.put("process_id", std::process::id());
    fields.put("run_id", run_id(request));
    fields.put("tcp_port", parameters::listening(request).1);
    fields.put("server_time_usec", serving.clock.wall_ms().saturating_mul(1000));
    fields.put("uptime_in_seconds", uptime_s);
    fields.put("uptime_in_days", uptime_s / DAY_S);
    fields.put("node_name", &serving.name);
    fields.put("node_id", serving.node());
    fields.put("incarnation", serving.identity.incarnation);
}

/// 40 hexadecimal digits that differ for every boot of every node of every cluster.
fn run_id(request: &Request<'_>) -> String {
    let serving = &request.front.serving;
    let cluster = serving.topology.load().cluster.0;
    let a = mix64(cluster as u64 ^ mix64(serving.identity.node.0));
    let b = mix64((cluster >> 64) as u64 ^ mix64(serving.identity.incarnation.0) ^ a);
    format!("{a:016x}{b:016x}{:08x}", mix64(b) as u32)
}

pub(super) fn clients(request: &Request<'_>, fields: &mut Fields) {
    let own = request.session.identity().as_ref().map_or(0, |identity| identity.gate.connections());
    let all = request.front.client_count() as u64;
    fields.put("connected_clients", if request.is_of_cluster() { all } else { own });
    fields.put("maxclients", request.front.max_clients());
    // No command here blocks.
    fields.put("blocked_clients", 0);
    if request.is_of_cluster() {
        fields.put("tracking_clients", request.front.serving.tracking.client_count());
    }
}

pub(super) fn memory(request: &Request<'_>, fields: &mut Fields) {
    let used = request.front.serving.shards.stats(request.session.tenant()).cost;
    let limit = parameters::max_memory(request).unwrap_or(0);
    fields.put("used_memory", used);
    fields.put("used_memory_human", human(used));
    fields.put("used_memory_dataset", used);
    if request.is_of_cluster()
        && let Some(resident) = process::resident_bytes()
    {
        fields.put("used_memory_rss", resident);
        fields.put("used_memory_rss_human", human(resident));
    }
    fields.put("maxmemory", limit);
    fields.put("maxmemory_human", human(limit));
    fields.put("maxmemory_policy", parameters::policy_name(request));
}

pub(super) fn persistence(_: &Request<'_>, fields: &mut Fields) {
    // Cached data is never written to disk.
    for name in
        ["loading", "async_loading", "rdb_bgsave_in_progress", "aof_enabled", "aof_rewrite_in_progress"]
    {
        fields.put(name, 0);
    }
}

pub(super) fn replication(request: &Request<'_>, fields: &mut Fields) {
    let shards = &request.front.serving.shards;
    fields.put("role", "master");
    fields.put("connected_slaves", shards.replica_count());
    fields.put("master_failover_state", "no-failover");
    let progress = shards.progress();
    // By partition, not by node: a node is the primary of some and holds copies of others.
    fields.put("replication_lag_max", progress.lag);
    fields.put("copies_being_made", progress.copying);
    // What is held here for other primaries: how much of what happened the oldest readable copy may lack.
    let standby = shards.standby();
    fields.put("replica_copies", standby.copies);
    fields.put("replica_copies_readable", standby.readable);
    if let Some(stale_us) = standby.stale_us {
        fields.put("replica_staleness_ms", stale_us / 1000);
    }
}

pub(super) fn cpu(_: &Request<'_>, fields: &mut Fields) {
    let seconds = |ticks: u64| format!("{}.{:02}0000", ticks / 100, ticks % 100);
    if let Some((system, user)) = process::cpu_ticks() {
        fields.put("used_cpu_sys", seconds(system));
        fields.put("used_cpu_user", seconds(user));
    }
}

pub(super) fn cluster(request: &Request<'_>, fields: &mut Fields) {
    if request.session.door == Door::Proxy {
        return fields.put("cluster_enabled", 0);
    }
    let topology = request.front.serving.topology.load();
    fields.put("cluster_enabled", 1);
    fields.put("cluster_state", if cluster::is_ok(request, &topology) { "ok" } else { "fail" });
    fields.put("cluster_known_nodes", topology.nodes.len());
    fields.put("cluster_size", cluster::size(&topology));
}
