//! `predis ctl cluster recover`: partitions go on from asynchronous copies, and what these lack is lost.
//!
//! Says first what would be lost; does it only when told so again.

use super::{
    answer::Answer,
    session::{Session, find},
};
use crate::failure::Failure;
use clap::Args;
use predis_proto::admin::{RecoverRequest, cluster_client::ClusterClient};
use serde_json::json;

#[derive(Debug, Args)]
pub(super) struct RecoverArgs {
    /// The region that has the copies.
    region: String,
    /// The members that are given up, by name or id: those of the home region that are down, all of them.
    #[arg(long, value_name = "NODE,...", value_delimiter = ',')]
    lost: Vec<String>,
    /// Do it. Without this it is only said what would be lost.
    #[arg(long)]
    yes: bool,
}

/// Asks.
pub(super) async fn run(session: &Session, args: &RecoverArgs) -> Result<Answer, Failure> {
    let nodes = session.status(false).await?.nodes;
    let lost: Result<Vec<u64>, Failure> =
        args.lost.iter().map(|node| find(&nodes, node).map(|node| node.id)).collect();
    let request = RecoverRequest { region: args.region.clone(), lost: lost?, dry_run: !args.yes };
    let recovered = ClusterClient::new(session.channel.clone()).recover(request).await;
    let reply = recovered.map_err(|status| session.failure(&status))?.into_inner();
    let (verb, more) = if args.yes { ("go", "") } else { ("would go", "\nadd --yes to do it") };
    let text = format!(
        "{} partitions {verb} on from copies in {}, {} have none there; changes lost at least: {}{more}",
        reply.recovered, args.region, reply.without_copy, reply.lost_entries,
    );
    let json = json!({
        "region": args.region, "recovered": reply.recovered, "without_copy": reply.without_copy,
        "lost_entries": reply.lost_entries, "done": args.yes,
    });
    Ok(Answer::new(text, json))
}
