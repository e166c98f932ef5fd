//! `predis ctl cluster drain` and `leave`: asked for, and followed until nothing is left.
//!
//! ```text
//! SetMode -> Status, again after each agreed change (Watch) or a moment -> no seats left | not a member any more
//! ```
//! Following changes nothing: whoever stops following leaves the draining going.

use super::{answer::Answer, bar::bar, cluster::set_mode, session::Session, time::parse_duration};
use crate::{failure::Failure, stop::Signals};
use anyhow::anyhow;
use clap::Args;
use indicatif::ProgressBar;
use predis_client::AdminChannel;
use predis_proto::admin::{
    Event, Node, StatusReply, StatusRequest, WatchRequest, cluster_client::ClusterClient,
};
use serde_json::json;
use std::time::Duration;
use tonic::Streaming;

/// How long at most before it is looked again: some of what matters is not in the audit.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long members are looked for that answer, while an election may be under way.
const SILENCE_LIMIT: Duration = Duration::from_secs(15);

/// How long to follow.
#[derive(Debug, Args)]
pub(super) struct Wait {
    /// Only ask for it.
    #[arg(long)]
    no_wait: bool,
    /// Fail when it takes longer, as 30s, 10m or 1h; it goes on all the same [default: no limit].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "no_wait")]
    timeout: Option<Duration>,
}

/// Has a member drained or leave.
pub(super) async fn run(session: &Session, node: &str, mode: &str, wait: &Wait) -> Result<Answer, Failure> {
    let (node, status) = session.node(node).await?;
    // From here on Ctrl-C is not to end in the middle of a sentence.
    let mut signals = Signals::install().map_err(Failure::failed)?;
    set_mode(session, node.id, mode).await?;
    if wait.no_wait {
        let json = json!({ "node": node.id, "name": node.name, "mode": mode });
        return Ok(Answer::new(format!("node {} {} is {mode}", node.id, node.name), json));
    }
    let mut follow = Follow::new(session, &node, mode, &status);
    let limit = wait.timeout.unwrap_or(Duration::MAX);
    tokio::select! {
        done = tokio::time::timeout(limit, follow.until_done()) => match done {
            Ok(done) => done?,
            Err(_) => return Err(follow.unfinished(&format!("not within {limit:?}"))),
        },
        signal = signals.next() => return Err(follow.unfinished(signal)),
    }
    follow.bar.finish_and_clear();
    let is_member = mode == "draining";
    let json = json!({
        "node": node.id, "name": node.name, "mode": mode, "primaries": 0, "seats": 0, "member": is_member,
    });
    let text = if is_member { "is drained: it has no partitions" } else { "has left the cluster" };
    Ok(Answer::new(format!("node {} {} {text}", node.id, node.name), json))
}

struct Follow<'a> {
    session: &'a Session,
    node: Node,
    mode: &'a str,
    /// Who else may answer, when the one that is asked leaves.
    addrs: Vec<String>,
    channel: AdminChannel,
    events: Option<Streaming<Event>>,
    left: u32,
    bar: ProgressBar,
}

impl<'a> Follow<'a> {
    fn new(session: &'a Session, node: &Node, mode: &'a str, status: &StatusReply) -> Follow<'a> {
        let others = status.nodes.iter().filter(|other| other.id != node.id && other.status == "up");
        let template = "{prefix} {bar:30} {pos}/{len} seats given up, {msg}";
        let bar = bar(u64::from(node.seats), template, format!("node {} {}", node.id, node.name));
        Follow {
            session,
            node: node.clone(),
            mode,
            addrs: others.map(|other| other.grpc_addr.clone()).collect(),
            channel: session.channel.clone(),
            events: None,
            left: node.seats,
            bar,
        }
    }

    /// Looks until nothing is left to do.
    async fn until_done(&mut self) -> Result<(), Failure> {
        loop {
            let status = self.look().await?;
            let Some(node) = status.nodes.iter().find(|node| node.id == self.node.id) else { return Ok(()) };
            if node.mode != self.mode {
                let words = format!("node {} is {}: it was called off", node.id, node.mode);
                return Err(Failure::failed(anyhow!(words)));
            }
            self.left = node.seats;
            self.bar.set_length(self.bar.length().unwrap_or(0).max(u64::from(node.seats)));
            self.bar.set_position(self.bar.length().unwrap_or(0) - u64::from(node.seats));
            self.bar.set_message(format!("{} partitions left that it serves", node.primaries));
            if self.mode == "draining" && node.seats == 0 {
                return Ok(());
            }
            self.change().await;
        }
    }

    /// The cluster as of now, from whoever answers: the node that was asked may be the one that leaves.
    async fn look(&mut self) -> Result<StatusReply, Failure> {
        let looking = async {
            loop {
                let asked =
                    ClusterClient::new(self.channel.clone()).status(StatusRequest { stale: false }).await;
                match asked {
                    Ok(status) => return Ok(status.into_inner()),
                    Err(status) if is_final(&status) => return Err(self.session.failure(&status)),
                    Err(_) => {}
                }
                self.events = None;
                // Nobody tells when somebody answers again.
                tokio::time::sleep(LOOK_AGAIN / 4).await;
                if let Some(addr) = self.addrs.first() {
                    if let Ok(channel) = self.session.target.connect_to(addr).await {
                        self.channel = channel;
                    }
                    self.addrs.rotate_left(1);
                }
            }
        };
        let looked = tokio::time::timeout(SILENCE_LIMIT, looking).await;
        looked.map_err(|_| {
            Failure::failed(anyhow!(
                "no member answered for {SILENCE_LIMIT:?}; node {} goes on {}",
                self.node.id,
                self.mode
            ))
        })?
    }

    /// Waits for something to be agreed on, or a moment.
    async fn change(&mut self) {
        if self.events.is_none() {
            let watched = ClusterClient::new(self.channel.clone()).watch(WatchRequest {}).await;
            self.events = watched.ok().map(tonic::Response::into_inner);
        }
        let event = async {
            match &mut self.events {
                Some(events) => matches!(events.message().await, Ok(Some(_))),
                None => std::future::pending().await,
            }
        };
        if let Ok(false) = tokio::time::timeout(LOOK_AGAIN, event).await {
            self.events = None;
        }
    }

    /// What to say when it is not followed any more.
    fn unfinished(&self, why: &str) -> Failure {
        self.bar.abandon();
        let Node { id, name, .. } = &self.node;
        let seats = if self.left == 1 { "a seat".to_owned() } else { format!("{} seats", self.left) };
        Failure::failed(anyhow!(
            "{why}: node {id} {name} still has {seats} and goes on {}; `predis ctl cluster activate {name}` calls \
             it off",
            self.mode,
        ))
    }
}

/// Whether asking somebody else would not help.
fn is_final(status: &tonic::Status) -> bool {
    use tonic::Code::{InvalidArgument, PermissionDenied, Unauthenticated, Unimplemented};
    matches!(status.code(), InvalidArgument | PermissionDenied | Unauthenticated | Unimplemented)
}
