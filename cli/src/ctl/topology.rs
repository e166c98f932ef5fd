//! `predis ctl topology`: where keys live, as clients are told it.

use super::{
    partitions::{id, known},
    session::Session,
    table,
};
use crate::{failure::Failure, output, stop::Signals};
use anyhow::anyhow;
use clap::Args;
use predis_proto::admin::{FollowRequest, Owner, Place, TopologyView, topology_client::TopologyClient};
use serde_json::{Value, json};

/// Where keys live, as clients are told it.
#[derive(Debug, Args)]
pub(super) struct TopologyArgs {
    /// Show it again whenever it changes, until Ctrl-C.
    #[arg(long)]
    follow: bool,
}

/// Shows one view, or all until a signal comes.
pub(super) async fn run(session: &Session, args: &TopologyArgs) -> Result<(), Failure> {
    let mut signals = Signals::install().map_err(Failure::failed)?;
    let refused = |status| session.failure(&status);
    let followed = TopologyClient::new(session.channel.clone()).follow(FollowRequest {}).await;
    let mut views = followed.map_err(refused)?.into_inner();
    let mut shown = None;
    loop {
        let view = tokio::select! {
            view = views.message() => view.map_err(refused)?,
            _ = signals.next() => return Ok(()),
        };
        let view = view.ok_or_else(|| Failure::failed(anyhow!("the node stops")))?;
        // A heartbeat says that nothing has changed.
        if shown == Some(view.version) {
            continue;
        }
        shown = Some(view.version);
        if session.json {
            output::print(json(&view))?
        } else {
            output::print(text(&view))?
        }
        if !args.follow {
            return Ok(());
        }
    }
}

fn text(view: &TopologyView) -> String {
    let TopologyView { version, cluster, partition_count, tenant, ack, .. } = view;
    let place = view.colocated_in.map(|at| format!(", all keys in partition {at}")).unwrap_or_default();
    let nodes: Vec<Vec<String>> = view.nodes.iter().map(|node| node_row(node, &view.owners)).collect();
    let nodes = table::render(&["ID", "UP", "RESP", "GRPC", "ZONE", "REGION", "PARTITIONS"], &nodes);
    let unserved = view.owners.iter().filter(|owner| owner.primary == 0).count();
    format!(
        "cluster     {cluster}\nversion     {version}\npartitions  {partition_count}, {unserved} served by nobody\n\
         tenant      {tenant}, {ack}{place}\n\n{nodes}\n"
    )
}

fn node_row(node: &Place, owners: &[Owner]) -> Vec<String> {
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    vec![
        id(node.id),
        if node.up { "yes" } else { "no" }.to_owned(),
        node.resp_addr.clone(),
        node.grpc_addr.clone(),
        or_dash(&node.zone),
        or_dash(&node.region),
        owners.iter().filter(|owner| owner.primary == node.id).count().to_string(),
    ]
}

/// A view for programs, in one line; no primary and no single partition are null.
fn json(view: &TopologyView) -> Value {
    let nodes = view.nodes.iter().map(|node| {
        json!({
            "id": node.id, "resp_addr": node.resp_addr, "grpc_addr": node.grpc_addr, "zone": node.zone,
            "region": node.region, "up": node.up,
        })
    });
    let owners = view.owners.iter().map(|owner| {
        json!({
            "primary": known(owner.primary), "epoch": owner.epoch, "replicas": owner.replicas,
            "others": owner.others,
        })
    });
    json!({
        "version": view.version, "cluster": view.cluster, "partition_count": view.partition_count,
        "nodes": nodes.collect::<Vec<_>>(), "owners": owners.collect::<Vec<_>>(), "tenant": view.tenant,
        "colocated_in": view.colocated_in, "ack": view.ack,
    })
}
