//! The metrics page of a node: what is measured, under which name.
//!
//! Names follow Prometheus's conventions: base units, `_total` for counters, one prefix. What is not known at a
//! moment (a node that does not serve yet) is left out, never shown as zero.

mod page;

use crate::{
    front::stats::{BUCKETS, bound_us},
    node::{Running, Status},
    tls::Tls,
};
use page::Page;
use predis_resp::CommandId;
use predis_types::TenantId;
use std::sync::atomic::Ordering::Relaxed;

/// The page as of now.
pub fn render(status: &Status) -> String {
    let mut page = Page::default();
    let node = status.node().to_string();
    page.gauge(
        "predis_build_info",
        "The version that runs, and the node it runs as.",
        &[(&[("version", env!("CARGO_PKG_VERSION")), ("node", &node)][..], 1)],
    );
    metadata(&mut page, status);
    if let Some(tls) = status.tls() {
        handshakes(&mut page, tls);
    }
    if let Some(running) = status.running() {
        serving(&mut page, &running);
        replication(&mut page, &running);
        keys(&mut page, &running);
        clients(&mut page, &running);
        commands(&mut page, &running);
    }
    page.finish()
}

fn metadata(page: &mut Page, status: &Status) {
    let leadership = status.meta().leadership();
    let published = status.meta().published();
    let state = &published.state;
    page.gauge("predis_raft_term", "The term of the metadata group.", &[(&[][..], leadership.term)]);
    page.gauge(
        "predis_raft_is_leader",
        "1 on the member that leads the metadata group.",
        &[(&[][..], u8::from(leadership.is_me))],
    );
    page.gauge(
        "predis_raft_has_leader",
        "1 while this member knows who leads.",
        &[(&[][..], u8::from(leadership.leader.is_some()))],
    );
    page.gauge(
        "predis_raft_applied_index",
        "The index of the last metadata log entry applied here.",
        &[(&[][..], published.index)],
    );
    let up = state.nodes().values().filter(|member| member.is_up()).count();
    page.gauge(
        "predis_cluster_nodes",
        "Members of the cluster by status.",
        &[(&[("status", "up")][..], up), (&[("status", "down")][..], state.nodes().len() - up)],
    );
    let served = state.partitions().iter().filter(|partition| partition.primary.is_some()).count();
    page.gauge(
        "predis_cluster_partitions",
        "Partitions of the cluster, with and without a primary.",
        &[(&[("primary", "yes")][..], served), (&[("primary", "no")][..], state.partitions().len() - served)],
    );
    page.counter(
        "predis_partitions_lost_total",
        "How often a partition was lost and started anew, empty, over the life of the cluster.",
        &[(&[][..], state.partitions().iter().map(|partition| partition.lost).sum::<u64>())],
    );
}

fn handshakes(page: &mut Page, tls: &Tls) {
    let counts = tls.handshakes().counts();
    let labels: Vec<[(&str, &str); 2]> =
        counts.iter().map(|(port, result, _)| [("port", *port), ("result", *result)]).collect();
    let samples: Vec<_> = labels.iter().map(|l| &l[..]).zip(counts.iter().map(|(_, _, n)| *n)).collect();
    page.counter("predis_tls_handshakes_total", "TLS handshakes by port and result.", &samples);
    page.gauge(
        "predis_tls_certificate_expires_timestamp_seconds",
        "When the certificate that new connections get expires, in Unix time.",
        &[(&[][..], tls.expires_at_s())],
    );
}

fn serving(page: &mut Page, running: &Running) {
    let serving = &running.serving;
    let uptime_us = serving.clock.mono_us().saturating_sub(serving.booted_us);
    page.gauge(
        "predis_uptime_seconds",
        "How long this incarnation has served.",
        &[(&[][..], uptime_us as f64 / 1e6)],
    );
    page.gauge(
        "predis_lease_valid",
        "1 while the node holds its lease and may serve.",
        &[(&[][..], u8::from(serving.lease.is_valid()))],
    );
    page.gauge(
        "predis_partitions_serving",
        "Partitions that this node serves as primary at this moment.",
        &[(&[][..], serving.shards.serving().len())],
    );
    let effects = serving.shards.effect_counts().by_kind();
    let labels: Vec<[(&str, &str); 1]> = effects.iter().map(|(kind, _)| [("kind", *kind)]).collect();
    let samples: Vec<_> = labels.iter().map(|l| &l[..]).zip(effects.iter().map(|(_, n)| *n)).collect();
    page.counter("predis_effects_total", "Effects of commands, expiry and eviction on shards.", &samples);
}

fn replication(page: &mut Page, running: &Running) {
    let shards = &running.serving.shards;
    let progress = shards.progress();
    page.gauge(
        "predis_replication_lag_entries",
        "How many entries the in-sync replica that has the fewest is behind, at most over this node's partitions.",
        &[(&[][..], progress.lag)],
    );
    page.gauge(
        "predis_replication_copies_being_made",
        "Copies of this node's partitions that are being made on other nodes.",
        &[(&[][..], progress.copying)],
    );
    page.gauge(
        "predis_replication_log_bytes",
        "What is kept of changes for replicas that do not have them yet, or may ask for them.",
        &[(&[][..], progress.log_bytes)],
    );
    let standby = shards.standby();
    page.gauge(
        "predis_replica_copies",
        "Copies that this node holds for other primaries: those that READONLY reads are answered from, and others.",
        &[
            (&[("readable", "yes")][..], standby.readable),
            (&[("readable", "no")][..], standby.copies - standby.readable),
        ],
    );
    if let Some(stale_us) = standby.stale_us {
        page.gauge(
            "predis_replica_staleness_seconds",
            "How much of what happened a readable copy here may lack at most, in time; of the oldest one.",
            &[(&[][..], stale_us as f64 / 1e6)],
        );
    }
    let counts = shards.replication_counts();
    let counters = [
        ("predis_replication_applied_total", "Entries applied for other primaries.", &counts.applied),
        ("predis_replication_pages_total", "Pages of copies sent to replicas.", &counts.pages),
        ("predis_replication_promotions_total", "Copies that became the primary's.", &counts.promotions),
        (
            "predis_replication_lost_entries_total",
            "Entries that were lost with a primary, at least: it is known to have had them, its successor had not.",
            &counts.lost,
        ),
    ];
    for (name, help, count) in counters {
        page.counter(name, help, &[(&[][..], count.load(Relaxed))]);
    }
}

fn keys(page: &mut Page, running: &Running) {
    let serving = &running.serving;
    let state = serving.meta.published().state;
    let tenants: Vec<(TenantId, &str)> = state.tenants().values().map(|t| (t.id, t.name.as_str())).collect();
    let stats: Vec<_> = tenants.iter().map(|(id, _)| serving.shards.stats(*id)).collect();
    let labels: Vec<[(&str, &str); 1]> = tenants.iter().map(|(_, name)| [("tenant", *name)]).collect();
    let of = |value: fn(&predis_shard::Stats) -> u64| -> Vec<_> {
        labels.iter().map(|label| &label[..]).zip(stats.iter().map(value)).collect()
    };
    page.gauge("predis_keys", "Keys stored on this node.", &of(|stats| stats.keys));
    page.gauge("predis_keys_expiring", "Keys that expire at some time.", &of(|stats| stats.expiring));
    page.gauge("predis_memory_used_bytes", "What the keys take of the budget.", &of(|stats| stats.cost));
    page.counter("predis_keyspace_hits_total", "Keys found by reads.", &of(|stats| stats.counters.hits));
    page.counter(
        "predis_keyspace_misses_total",
        "Keys not found by reads.",
        &of(|stats| stats.counters.misses),
    );
    page.counter("predis_expired_keys_total", "Keys that expired.", &of(|stats| stats.counters.expired));
    page.counter("predis_evicted_keys_total", "Keys that were evicted.", &of(|stats| stats.counters.evicted));
    let connections: Vec<u64> = tenants
        .iter()
        .map(|(id, _)| serving.access.tenant(*id).map_or(0, |gate| gate.connections()))
        .collect();
    let samples: Vec<_> = labels.iter().map(|label| &label[..]).zip(connections).collect();
    page.gauge("predis_tenant_connections", "Client connections of each tenant's users.", &samples);
    if let Some(bytes) = serving.shards.memory_bytes() {
        page.gauge("predis_memory_budget_bytes", "The node's memory budget.", &[(&[][..], bytes)]);
    }
}

fn clients(page: &mut Page, running: &Running) {
    let stats = running.front.stats();
    page.gauge("predis_connected_clients", "Client connections.", &[(&[][..], running.front.client_count())]);
    page.counter(
        "predis_connections_total",
        "Client connections accepted and refused.",
        &[
            (&[("result", "accepted")][..], stats.connections_received()),
            (&[("result", "refused")][..], stats.connections_refused()),
        ],
    );
    page.counter(
        "predis_network_bytes_total",
        "Bytes to and from clients.",
        &[
            (&[("direction", "in")][..], stats.net_in_bytes()),
            (&[("direction", "out")][..], stats.net_out_bytes()),
        ],
    );
    let tracking = running.serving.tracking.client_count();
    page.gauge(
        "predis_tracking_clients",
        "Connections that keep copies of what they read.",
        &[(&[][..], tracking)],
    );
    let refusals = running.serving.access.refusal_counts();
    let labels: Vec<[(&str, &str); 1]> = refusals.iter().map(|(reason, _)| [("reason", *reason)]).collect();
    let samples: Vec<_> = labels.iter().map(|l| &l[..]).zip(refusals.iter().map(|(_, n)| *n)).collect();
    page.counter(
        "predis_refusals_total",
        "Refused for who somebody is: certificates, users, roles, quotas.",
        &samples,
    );
    let errors = stats.errors();
    let labels: Vec<[(&str, &str); 1]> = errors.iter().map(|(code, _)| [("code", *code)]).collect();
    let samples: Vec<_> = labels.iter().map(|l| &l[..]).zip(errors.iter().map(|(_, n)| *n)).collect();
    page.counter("predis_errors_total", "Error replies by code.", &samples);
}

fn commands(page: &mut Page, running: &Running) {
    const NAME: &str = "predis_command_duration_seconds";
    let stats = running.front.stats();
    page.histogram(NAME, "Time from a command's parsing to its reply, a batch's time split evenly.");
    for id in CommandId::ALL.iter().copied() {
        let latency = stats.latency(id);
        if latency.count > 0 {
            let bounds = (0..BUCKETS).map(|bucket| bound_us(bucket).map(|us| us as f64 / 1e6));
            let buckets = bounds.zip(latency.buckets);
            page.series(NAME, &[("command", id.name())], buckets, latency.sum_ns as f64 / 1e9);
        }
    }
}
