//! `predis ctl cluster status`.

use super::table;
use crate::{failure::Failure, output};
use clap::Args;
use predis_proto::admin::{StatusReply, StatusRequest, cluster_client::ClusterClient};
use serde_json::{Value, json};
use tonic::transport::Channel;

/// What to show.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Take the node's own copy, even when no majority can be reached.
    #[arg(long)]
    stale: bool,
    /// Show every partition too.
    #[arg(long)]
    partitions: bool,
}

/// Asks and prints.
pub(super) async fn run(channel: Channel, args: &StatusArgs, as_json: bool) -> Result<(), Failure> {
    let answered = ClusterClient::new(channel).status(StatusRequest { stale: args.stale }).await;
    let reply = answered
        .map_err(|status| Failure::failed(anyhow::anyhow!("{}: {}", status.code(), status.message())))?
        .into_inner();
    if as_json {
        output::print(format_args!("{:#}", json(&reply)))
    } else {
        output::print(text(&reply, args.partitions))
    }
}

fn id(node: u64) -> String {
    if node == 0 { "-".to_owned() } else { node.to_string() }
}

fn ids(nodes: &[u64]) -> String {
    nodes.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

fn text(reply: &StatusReply, partitions: bool) -> String {
    let mut out = format!(
        "cluster     {}\nslots       {} of 16384 served\npartitions  {} of {} served, {} copies, {} lost so far\n\
         leader      {} (term {}, applied {}, as of node {})\n",
        reply.cluster,
        reply.slots_served,
        reply.partitions_served,
        reply.partition_count,
        reply.copies,
        reply.partitions_lost,
        id(reply.leader),
        reply.term,
        reply.applied_index,
        reply.answered_by,
    );
    for tenant in &reply.tenants {
        let (name, placement) = (&tenant.name, &tenant.placement);
        out += &format!("tenant      {name} ({placement}, {}, {})\n", tenant.ack, tenant.policy);
    }
    let head = ["ID", "NAME", "STATUS", "MODE", "ROLE", "RESP", "GRPC", "ZONE", "BOOT", "PRIMARIES", "SEATS"];
    let rows: Vec<Vec<String>> = reply
        .nodes
        .iter()
        .map(|node| {
            let zone = if node.zone.is_empty() { "-" } else { &node.zone };
            vec![
                node.id.to_string(),
                node.name.clone(),
                node.status.clone(),
                node.mode.clone(),
                node.role.clone(),
                node.resp_addr.clone(),
                node.grpc_addr.clone(),
                zone.to_owned(),
                node.incarnation.to_string(),
                node.primaries.to_string(),
                node.seats.to_string(),
            ]
        })
        .collect();
    out += &format!("\n{}", table::render(&head, &rows));
    if partitions {
        let head = ["PARTITION", "SLOTS", "EPOCH", "PRIMARY", "SEATS", "IN SYNC", "LOST"];
        let rows: Vec<Vec<String>> = reply
            .partitions
            .iter()
            .map(|partition| {
                vec![
                    partition.id.to_string(),
                    format!("{}-{}", partition.first_slot, partition.last_slot),
                    partition.epoch.to_string(),
                    id(partition.primary),
                    ids(&partition.replicas),
                    ids(&partition.in_sync),
                    partition.lost.to_string(),
                ]
            })
            .collect();
        out += &format!("\n\n{}", table::render(&head, &rows));
    }
    out
}

/// The reply with its own field names; an unknown leader or primary is null.
fn json(reply: &StatusReply) -> Value {
    let known = |node: u64| (node != 0).then_some(node);
    let nodes: Vec<Value> = reply
        .nodes
        .iter()
        .map(|node| {
            json!({
                "id": node.id, "name": node.name, "status": node.status, "mode": node.mode, "role": node.role,
                "resp_addr": node.resp_addr, "grpc_addr": node.grpc_addr, "metrics_addr": node.metrics_addr,
                "zone": node.zone, "region": node.region, "weight": node.weight,
                "incarnation": node.incarnation, "primaries": node.primaries, "seats": node.seats,
            })
        })
        .collect();
    let partitions: Vec<Value> = reply
        .partitions
        .iter()
        .map(|partition| {
            json!({
                "id": partition.id, "first_slot": partition.first_slot, "last_slot": partition.last_slot,
                "epoch": partition.epoch, "primary": known(partition.primary),
                "replicas": partition.replicas, "in_sync": partition.in_sync, "lost": partition.lost,
            })
        })
        .collect();
    let tenants: Vec<Value> = reply
        .tenants
        .iter()
        .map(|tenant| {
            json!({
                "id": tenant.id, "name": tenant.name, "placement": tenant.placement, "ack": tenant.ack,
                "policy": tenant.policy,
            })
        })
        .collect();
    json!({
        "cluster": reply.cluster, "created_at_ms": reply.created_at_ms, "answered_by": reply.answered_by,
        "leader": known(reply.leader), "term": reply.term, "applied_index": reply.applied_index,
        "copies": reply.copies, "partition_count": reply.partition_count,
        "partitions_served": reply.partitions_served, "slots_served": reply.slots_served,
        "partitions_lost": reply.partitions_lost, "nodes": nodes, "partitions": partitions, "tenants": tenants,
    })
}
