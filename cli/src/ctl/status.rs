//! `predis ctl cluster status`.

use super::{
    answer::Answer,
    nodes,
    partitions::{self, id, known},
    session::Session,
    tenants,
};
use crate::failure::Failure;
use clap::Args;
use predis_proto::admin::StatusReply;
use serde_json::{Value, json};

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

/// Asks.
pub(super) async fn run(session: &Session, args: &StatusArgs) -> Result<Answer, Failure> {
    let reply = session.status(args.stale).await?;
    Ok(Answer::new(text(&reply, args.partitions), json(&reply)))
}

fn text(reply: &StatusReply, partitions: bool) -> String {
    let mut out = format!(
        "cluster     {}\nslots       {} of 16384 served\npartitions  {} of {} served, {} copies, {} lost so far\n\
         leader      {} (term {}, applied {}, as of node {})\nmetadata    version {}\n",
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
        reply.metadata_version,
    );
    for tenant in &reply.tenants {
        let (name, placement) = (&tenant.name, &tenant.placement);
        out += &format!("tenant      {name} ({placement}, {}, {})\n", tenant.ack, tenant.policy);
    }
    out += &format!("\n{}", nodes::table(&reply.nodes));
    if partitions {
        out += &format!("\n\n{}", partitions::table(&reply.partitions));
    }
    out
}

/// The reply with its own field names; an unknown leader or primary is null.
fn json(reply: &StatusReply) -> Value {
    json!({
        "cluster": reply.cluster, "created_at_ms": reply.created_at_ms, "answered_by": reply.answered_by,
        "leader": known(reply.leader), "term": reply.term, "applied_index": reply.applied_index,
        "copies": reply.copies, "partition_count": reply.partition_count,
        "partitions_served": reply.partitions_served, "slots_served": reply.slots_served,
        "partitions_lost": reply.partitions_lost, "metadata_version": reply.metadata_version,
        "nodes": reply.nodes.iter().map(nodes::json).collect::<Vec<_>>(),
        "partitions": reply.partitions.iter().map(partitions::json).collect::<Vec<_>>(),
        "tenants": reply.tenants.iter().map(tenants::json).collect::<Vec<_>>(),
    })
}
