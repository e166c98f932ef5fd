//! `predis ctl watch`: agreed changes as they happen, one a line.

use super::{session::Session, time::utc};
use crate::{failure::Failure, output, stop::Signals};
use anyhow::anyhow;
use clap::Args;
use predis_proto::admin::{Event, WatchRequest, cluster_client::ClusterClient};
use serde_json::{Value, json};

/// What the cluster agrees on from now on, until Ctrl-C.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// End after so many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

/// Shows events until there are enough or a signal comes.
pub(super) async fn run(session: &Session, args: &WatchArgs) -> Result<(), Failure> {
    let mut signals = Signals::install().map_err(Failure::failed)?;
    let refused = |status| session.failure(&status);
    let watched = ClusterClient::new(session.channel.clone()).watch(WatchRequest {}).await;
    let mut events = watched.map_err(refused)?.into_inner();
    let mut left = args.count;
    while left != Some(0) {
        let event = tokio::select! {
            event = events.message() => event.map_err(refused)?,
            _ = signals.next() => return Ok(()),
        };
        let event = event.ok_or_else(|| Failure::failed(anyhow!("the node stops")))?;
        if session.json {
            output::print(json(&event))?
        } else {
            output::print(line(&event))?
        }
        left = left.map(|left| left - 1);
    }
    Ok(())
}

fn line(event: &Event) -> String {
    row(event).join("  ")
}

/// An event's cells in a table.
pub(super) fn row(event: &Event) -> Vec<String> {
    let Event { index, at_ms, actor, action, subject } = event;
    vec![index.to_string(), utc(*at_ms), actor.clone(), action.clone(), subject.clone()]
}

/// An event for programs.
pub(super) fn json(event: &Event) -> Value {
    json!({
        "index": event.index, "at_ms": event.at_ms, "actor": event.actor, "action": event.action,
        "subject": event.subject,
    })
}
