//! `predis ctl cluster`: the cluster as a whole, and who its members are to be.

use super::{
    answer::Answer,
    drain::{self, Wait},
    events::WatchArgs,
    recover::{self, RecoverArgs},
    session::Session,
    status::StatusArgs,
};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use predis_proto::admin::{ForgetRequest, SetModeRequest, SetWeightRequest, cluster_client::ClusterClient};
use serde_json::json;

/// The cluster as a whole. NODE is a member's name or id.
#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Nodes, partitions and who leads.
    Status(StatusArgs),
    /// What the cluster agrees on from now on, until Ctrl-C.
    Watch(WatchArgs),
    /// Move a member's partitions away, as they become empty; it stays a member.
    Drain(DrainArgs),
    /// Move a member's partitions away, then end its membership and its process.
    Leave(DrainArgs),
    /// Call draining or leaving off.
    Activate {
        /// A member's name or id.
        node: String,
    },
    /// Change a member's share of the partitions.
    Weight {
        /// A member's name or id.
        node: String,
        /// 1 to 10000; 100 is usual.
        weight: u32,
    },
    /// End the membership of a node that is down for good.
    Forget {
        /// A member's name or id.
        node: String,
    },
    /// Go on from the asynchronous copies in a region, where nobody in sync is left. What they lack is lost.
    Recover(RecoverArgs),
}

#[derive(Debug, Args)]
pub(super) struct DrainArgs {
    /// A member's name or id.
    node: String,
    #[command(flatten)]
    wait: Wait,
}

/// Asks; what is shown as it comes is for others.
pub(super) async fn run(session: &Session, command: &ClusterCommand) -> Result<Option<Answer>, Failure> {
    Ok(Some(match command {
        ClusterCommand::Status(args) => super::status::run(session, args).await?,
        ClusterCommand::Watch(args) => {
            super::events::run(session, args).await?;
            return Ok(None);
        }
        ClusterCommand::Drain(args) => drain::run(session, &args.node, "draining", &args.wait).await?,
        ClusterCommand::Leave(args) => drain::run(session, &args.node, "leaving", &args.wait).await?,
        ClusterCommand::Activate { node } => {
            let (node, _) = session.node(node).await?;
            set_mode(session, node.id, "active").await?;
            let json = json!({ "node": node.id, "name": node.name, "mode": "active" });
            Answer::new(format!("node {} {} is active", node.id, node.name), json)
        }
        ClusterCommand::Weight { node, weight } => {
            let (node, _) = session.node(node).await?;
            let request = SetWeightRequest { node_id: node.id, weight: *weight };
            let changed = ClusterClient::new(session.channel.clone()).set_weight(request).await;
            changed.map_err(|status| session.failure(&status))?;
            let json = json!({ "node": node.id, "name": node.name, "weight": weight });
            Answer::new(format!("node {} {} has weight {weight}", node.id, node.name), json)
        }
        ClusterCommand::Recover(args) => recover::run(session, args).await?,
        ClusterCommand::Forget { node } => {
            let (node, _) = session.node(node).await?;
            let request = ForgetRequest { node_id: node.id };
            let forgotten = ClusterClient::new(session.channel.clone()).forget(request).await;
            forgotten.map_err(|status| session.failure(&status))?;
            let json = json!({ "node": node.id, "name": node.name });
            Answer::new(format!("node {} {} is forgotten", node.id, node.name), json)
        }
    }))
}

/// Says what is wanted of a member.
pub(super) async fn set_mode(session: &Session, node: u64, mode: &str) -> Result<(), Failure> {
    let request = SetModeRequest { node_id: node, mode: mode.to_owned() };
    let changed = ClusterClient::new(session.channel.clone()).set_mode(request).await;
    changed.map(|_| ()).map_err(|status| session.failure(&status))
}
