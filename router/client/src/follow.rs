//! Follows the topology over gRPC, from one node at a time, whichever answers.
//!
//! ```text
//! node --Follow: a view, then changes and heartbeats--> Follower --watch--> the client
//!   ^------ another one when it is silent, ends, or is behind what other nodes say
//! ```
//! A node that is behind never takes a client back to an older view. Knows nothing of calls.

use crate::{
    admin::{self, ConnectError},
    credentials::Credentials,
    error::{CallError, Setback},
    net::Connector,
    retry::pause,
    settings::{Config, Settings},
    tls::Tls,
    view::{View, dialled},
};
use predis_proto::admin::{FollowRequest, TopologyView, topology_client::TopologyClient};
use predis_types::Rng;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};
use tonic::{Code, Streaming};

/// Nodes send a heartbeat each second: one that is silent for this long is gone.
const SILENCE: Duration = Duration::from_secs(3);

/// How long a node may be behind what another one said before a third is asked.
const BEHIND: Duration = Duration::from_millis(500);

/// Follows the topology.
pub(crate) struct Follower {
    connector: Arc<dyn Connector>,
    tls: Option<Tls>,
    credentials: Credentials,
    settings: Settings,
    seeds: Vec<String>,
    rng: Box<dyn Rng>,
    outdated: Arc<Notify>,
}

/// A node's views, and the node.
pub(crate) struct Stream {
    addr: String,
    /// The version that a heartbeat repeats.
    version: u64,
    messages: Streaming<TopologyView>,
}

/// Why a node's views cannot be followed.
enum NoStream {
    /// Nobody will let this client follow.
    Auth(String),
    /// Another node may.
    Other(Setback),
}

impl Follower {
    pub(crate) fn new(
        config: &Config,
        connector: Arc<dyn Connector>,
        rng: Box<dyn Rng>,
        outdated: Arc<Notify>,
    ) -> Follower {
        Follower {
            connector,
            tls: config.tls.clone(),
            credentials: config.credentials.clone(),
            settings: config.settings.clone(),
            seeds: config.seeds.clone(),
            rng,
            outdated,
        }
    }

    /// The first view, from whichever seed gives one.
    pub(crate) async fn first(&mut self, limit: Duration) -> Result<(Arc<View>, Stream), CallError> {
        let deadline = Instant::now() + limit;
        let seeds = self.seeds.clone();
        let mut last = seeds.is_empty().then_some(Setback::NoNode);
        let trying = async {
            for round in 0.. {
                for addr in &seeds {
                    match self.open(addr).await {
                        Ok(opened) => return Ok(opened),
                        Err(NoStream::Auth(reason)) => return Err(CallError::Auth(reason)),
                        Err(NoStream::Other(setback)) => last = Some(setback),
                    }
                }
                self.pause(round).await;
            }
            unreachable!("rounds have no end")
        };
        let tried = timeout_at(deadline, trying).await;
        tried.unwrap_or_else(|_| Err(CallError::Deadline { limit, last }))
    }

    /// Follows for good, or until nobody wants the views any more.
    pub(crate) async fn run(mut self, mut stream: Stream, views: watch::Sender<Arc<View>>) {
        while !views.is_closed() {
            let reason = self.read(&mut stream, &views).await;
            tracing::debug!(addr = %stream.addr, reason, "follows the topology elsewhere");
            stream = self.reopen(&stream.addr, &views).await;
        }
    }

    /// Publishes what a node sends until it is time for another one; says why.
    async fn read(&mut self, stream: &mut Stream, views: &watch::Sender<Arc<View>>) -> &'static str {
        let mut behind = None;
        loop {
            let suspicion = behind.unwrap_or_else(Instant::now);
            let message = tokio::select! {
                message = timeout(SILENCE, stream.messages.message()) => message,
                () = self.outdated.notified(), if behind.is_none() => {
                    behind = Some(Instant::now() + BEHIND);
                    continue;
                }
                () = sleep_until(suspicion), if behind.is_some() => return "it is behind",
            };
            let message = match message {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => return "it ended",
                Ok(Err(_)) => return "it failed",
                Err(_) => return "it is silent",
            };
            if message.version == stream.version {
                continue;
            }
            stream.version = message.version;
            match View::try_from(message) {
                Ok(view) if is_newer(&view, &views.borrow()) => {
                    behind = None;
                    views.send_replace(Arc::new(view));
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(addr = %stream.addr, %error, "a node sends a topology that is none");
                    return "it sends nonsense";
                }
            }
        }
    }

    /// Another node's views, or this one's again if there is no other.
    async fn reopen(&mut self, left: &str, views: &watch::Sender<Arc<View>>) -> Stream {
        for round in 0.. {
            let known = views.borrow().clone();
            for addr in self.candidates(left, &known) {
                let Ok((view, stream)) = self.open(&addr).await else { continue };
                let known = views.borrow().clone();
                if view.topology.cluster != known.topology.cluster {
                    tracing::warn!(%addr, "a node is of another cluster now");
                    continue;
                }
                if is_newer(&view, &known) {
                    views.send_replace(view);
                }
                return stream;
            }
            self.pause(round).await;
        }
        unreachable!("rounds have no end")
    }

    /// Whom to ask: members in the client's zone, the other ones, the seeds, and last the one that was left.
    fn candidates(&mut self, left: &str, view: &View) -> Vec<String> {
        let near = |zone: &str, region: &str| zone == self.settings.zone && region == self.settings.region;
        let mut members: Vec<(bool, u64, String)> = Vec::new();
        for info in view.topology.nodes.values().filter(|info| info.up) {
            let far = !near(&info.zone, &info.region);
            members.push((far, self.rng.next_u64(), dialled(&info.grpc)));
        }
        members.sort_unstable();
        let mut all: Vec<String> = members.into_iter().map(|(_, _, addr)| addr).collect();
        all.extend(self.seeds.iter().cloned());
        let (mut all, same): (Vec<String>, Vec<String>) = all.into_iter().partition(|addr| addr != left);
        all.extend(same.into_iter().take(1));
        all
    }

    async fn open(&mut self, addr: &str) -> Result<(Arc<View>, Stream), NoStream> {
        let limit = self.settings.connect_limit;
        let other = |reason: String| NoStream::Other(Setback::Unreachable { addr: addr.into(), reason });
        let login = self.credentials.read().map_err(NoStream::Auth)?;
        let token = login.as_ref().map(|login| &login.token);
        let connecting = admin::connect(self.connector.clone(), addr, self.tls.as_ref(), token, limit);
        let channel = connecting.await.map_err(|error| match error {
            ConnectError::BadToken => NoStream::Auth(error.to_string()),
            ConnectError::BadAddress { .. } => other(error.to_string()),
            ConnectError::Unreachable { reason, .. } => other(reason),
        })?;
        let mut client = TopologyClient::new(channel);
        let opening = async {
            let mut messages = client.follow(FollowRequest {}).await?.into_inner();
            let first = messages.message().await?;
            Ok::<_, tonic::Status>((first, messages))
        };
        let opened = timeout(limit, opening).await.map_err(|_| other(format!("no view within {limit:?}")))?;
        let (first, messages) = opened.map_err(|status| match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => NoStream::Auth(status.message().to_owned()),
            _ => other(status.message().to_owned()),
        })?;
        let first = first.ok_or_else(|| other("it knows no topology".to_owned()))?;
        let version = first.version;
        let view = View::try_from(first).map_err(|error| other(error.to_string()))?;
        Ok((Arc::new(view), Stream { addr: addr.to_owned(), version, messages }))
    }

    async fn pause(&mut self, round: u32) {
        sleep(pause(&self.settings.retry, round, self.rng.as_mut())).await;
    }
}

/// Whether a view says more than the one known.
fn is_newer(view: &View, known: &View) -> bool {
    view.topology.version > known.topology.version
}
