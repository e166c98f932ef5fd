//! INFO on what was counted: stats, commandstats, errorstats, latencystats, keyspace.

use super::{Fields, Request};
use predis_resp::CommandId;

pub(super) fn stats(request: &Request<'_>, fields: &mut Fields) {
    let keys = request.front.serving.shards.stats(request.session.tenant()).counters;
    if request.is_of_cluster() {
        traffic(request, fields);
    }
    fields.put("expired_keys", keys.expired);
    fields.put("evicted_keys", keys.evicted);
    fields.put("keyspace_hits", keys.hits);
    fields.put("keyspace_misses", keys.misses);
}

/// What was counted of all tenants together.
fn traffic(request: &Request<'_>, fields: &mut Fields) {
    let stats = request.front.stats();
    let rates = stats.per_second();
    let kilobits = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    fields.put("total_connections_received", stats.connections_received());
    fields.put("total_commands_processed", stats.commands_processed());
    fields.put("instantaneous_ops_per_sec", rates.commands);
    fields.put("total_net_input_bytes", stats.net_in_bytes());
    fields.put("total_net_output_bytes", stats.net_out_bytes());
    // Redis's name says kilobits; its value, and so this one, is in kibibytes.
    fields.put("instantaneous_input_kbps", kilobits(rates.net_in_bytes));
    fields.put("instantaneous_output_kbps", kilobits(rates.net_out_bytes));
    fields.put("rejected_connections", stats.connections_refused());
    fields.put("total_error_replies", stats.error_replies());
    fields.put("total_reads_processed", stats.reads());
    fields.put("total_writes_processed", stats.writes());
}

pub(super) fn commands(request: &Request<'_>, fields: &mut Fields) {
    for id in CommandId::ALL {
        let totals = request.front.stats().command(*id);
        if totals.calls + totals.rejected == 0 {
            continue;
        }
        let per_call = totals.usec as f64 / totals.calls.max(1) as f64;
        fields.put(
            &format!("cmdstat_{}", id.name()),
            format_args!(
                "calls={},usec={},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
                totals.calls, totals.usec, totals.rejected, totals.failed
            ),
        );
    }
}

pub(super) fn errors(request: &Request<'_>, fields: &mut Fields) {
    for (code, count) in request.front.stats().errors() {
        fields.put(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

pub(super) fn latency(request: &Request<'_>, fields: &mut Fields) {
    for id in CommandId::ALL {
        let latency = request.front.stats().latency(*id);
        if latency.count == 0 {
            continue;
        }
        let [p50, p99, p999] = [50.0, 99.0, 99.9].map(|percent| latency.percentile_us(percent));
        fields.put(
            &format!("latency_percentiles_usec_{}", id.name()),
            format_args!("p50={p50}.000,p99={p99}.000,p99.9={p999}.000"),
        );
    }
}

pub(super) fn keyspace(request: &Request<'_>, fields: &mut Fields) {
    let serving = &request.front.serving;
    let stats = serving.shards.stats(request.session.tenant());
    if stats.keys == 0 {
        return;
    }
    let ttl_ms = stats.mean_expire_at_ms.map_or(0, |at| at.saturating_sub(serving.clock.wall_ms()));
    fields.put("db0", format_args!("keys={},expires={},avg_ttl={ttl_ms}", stats.keys, stats.expiring));
}
