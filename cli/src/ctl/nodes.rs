//! `predis ctl nodes`: the members.

use super::{answer::Answer, session::Session, table};
use crate::failure::Failure;
use clap::Args;
use predis_proto::admin::Node;
use serde_json::{Value, json};

/// The members, or one of them.
#[derive(Debug, Args)]
pub(super) struct NodesArgs {
    /// A member's id or name.
    node: Option<String>,
}

/// Asks.
pub(super) async fn run(session: &Session, args: &NodesArgs) -> Result<Answer, Failure> {
    match &args.node {
        None => {
            let nodes = session.status(false).await?.nodes;
            Ok(Answer::new(table(&nodes), json!({ "nodes": nodes.iter().map(json).collect::<Vec<_>>() })))
        }
        Some(wanted) => {
            let (node, _) = session.node(wanted).await?;
            Ok(Answer::new(details(&node), json(&node)))
        }
    }
}

/// A line a member.
pub(super) fn table(nodes: &[Node]) -> String {
    let head = ["ID", "NAME", "STATUS", "MODE", "ROLE", "RESP", "GRPC", "ZONE", "BOOT", "PRIMARIES", "SEATS"];
    let row = |node: &Node| {
        vec![
            node.id.to_string(),
            node.name.clone(),
            node.status.clone(),
            node.mode.clone(),
            node.role.clone(),
            node.resp_addr.clone(),
            node.grpc_addr.clone(),
            or_dash(&node.zone),
            node.incarnation.to_string(),
            node.primaries.to_string(),
            node.seats.to_string(),
        ]
    };
    table::render(&head, &nodes.iter().map(row).collect::<Vec<_>>())
}

fn details(node: &Node) -> String {
    format!(
        "node       {} {}\nstatus     {}, {}, {}\nresp       {}\ngrpc       {}\nmetrics    {}\n\
         zone       {}\nregion     {}\nweight     {}\nboot       {}\nmetadata   reads up to version {}\n\
         partitions {} as primary, {} seats",
        node.id,
        node.name,
        node.status,
        node.mode,
        node.role,
        node.resp_addr,
        node.grpc_addr,
        node.metrics_addr,
        or_dash(&node.zone),
        or_dash(&node.region),
        node.weight,
        node.incarnation,
        node.metadata_version,
        node.primaries,
        node.seats,
    )
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// A member for programs.
pub(super) fn json(node: &Node) -> Value {
    json!({
        "id": node.id, "name": node.name, "status": node.status, "mode": node.mode, "role": node.role,
        "resp_addr": node.resp_addr, "grpc_addr": node.grpc_addr, "metrics_addr": node.metrics_addr,
        "zone": node.zone, "region": node.region, "weight": node.weight,
        "incarnation": node.incarnation, "primaries": node.primaries, "seats": node.seats,
        "metadata_version": node.metadata_version,
    })
}
