//! The admin API's `Cluster` service: how the cluster is, and who its members are to be.
//!
//! Says what is wanted of a member; moving its partitions away and ending its membership is the supervisor's part.

use super::{
    change::Admin,
    codes,
    events::{Watcher, events},
    guard::Permit,
    recover, view,
};
use futures_util::stream::BoxStream;
use predis_meta::{Action, ClusterState, Member, Mode, Rejected};
use predis_proto::admin::{
    Event, ForgetReply, ForgetRequest, RecoverReply, RecoverRequest, SetModeReply, SetModeRequest,
    SetWeightReply, SetWeightRequest, StatusReply, StatusRequest, WatchRequest, cluster_server,
};
use predis_types::NodeId;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use tonic::{Request, Response, Status};

/// How many callers may watch one node at a time.
const WATCHERS: usize = 64;

/// The service.
pub(super) struct Cluster {
    admin: Admin,
    stop: watch::Receiver<bool>,
    watchers: Arc<Semaphore>,
}

impl Cluster {
    /// A service whose streams end when `stop` turns true.
    pub(super) fn new(admin: Admin, stop: watch::Receiver<bool>) -> Cluster {
        Cluster { admin, stop, watchers: Arc::new(Semaphore::new(WATCHERS)) }
    }
}

#[tonic::async_trait]
impl cluster_server::Cluster for Cluster {
    type WatchStream = BoxStream<'static, Result<Event, Status>>;

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let shared = &self.admin.shared;
        let published = if request.get_ref().stale {
            shared.meta.published()
        } else {
            let read = shared.meta.read(shared.limit).await;
            read.map_err(|error| {
                Status::unavailable(format!("{error}; ask with stale for this node's copy"))
            })?
        };
        let reply = view::reply(shared, &published);
        reply.map(Response::new).ok_or_else(|| Status::unavailable("no cluster yet"))
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let permit = Permit::of(&request)?;
        let place = self.watchers.clone().try_acquire_owned().map_err(|_| {
            Status::resource_exhausted(format!("{WATCHERS} callers watch this node already: the limit"))
        })?;
        let watcher =
            Watcher { shared: self.admin.shared.clone(), permit, stop: self.stop.clone(), _place: place };
        Ok(Response::new(Box::pin(events(watcher))))
    }

    async fn set_mode(&self, request: Request<SetModeRequest>) -> Result<Response<SetModeReply>, Status> {
        let permit = Permit::of(&request)?;
        let SetModeRequest { node_id, mode } = request.into_inner();
        let (node, mode) = (NodeId(node_id), parse_mode(&mode)?);
        let changed = self.admin.change(&permit, |state, _| {
            if find(state, node)?.mode == mode {
                return Ok(None);
            }
            if mode != Mode::Active && !is_active_without(state, node) {
                let words = format!(
                    "mode: must be active, got {mode}: no other node is active and up to take over from node {node}"
                );
                return Err(Status::failed_precondition(words));
            }
            Ok(Some(Action::SetMode { node, mode }))
        });
        changed.await?;
        Ok(Response::new(SetModeReply {}))
    }

    async fn set_weight(
        &self,
        request: Request<SetWeightRequest>,
    ) -> Result<Response<SetWeightReply>, Status> {
        let permit = Permit::of(&request)?;
        let SetWeightRequest { node_id, weight } = request.into_inner();
        let node = NodeId(node_id);
        let changed = self.admin.change(&permit, |state, _| {
            let same = find(state, node)?.weight == weight;
            Ok((!same).then_some(Action::SetWeight { node, weight }))
        });
        changed.await?;
        Ok(Response::new(SetWeightReply {}))
    }

    async fn forget(&self, request: Request<ForgetRequest>) -> Result<Response<ForgetReply>, Status> {
        let permit = Permit::of(&request)?;
        let node = NodeId(request.into_inner().node_id);
        let changed = self.admin.change(&permit, |state, _| {
            find(state, node)?;
            Ok(Some(Action::RemoveNode { node }))
        });
        changed.await?;
        Ok(Response::new(ForgetReply {}))
    }

    async fn recover(&self, request: Request<RecoverRequest>) -> Result<Response<RecoverReply>, Status> {
        let permit = Permit::of(&request)?;
        recover::recover(&self.admin, &permit, &request.into_inner()).await.map(Response::new)
    }
}

fn parse_mode(text: &str) -> Result<Mode, Status> {
    let modes = [Mode::Active, Mode::Draining, Mode::Leaving];
    modes.into_iter().find(|mode| mode.to_string() == text).ok_or_else(|| {
        let text: String = text.chars().take(80).collect();
        Status::invalid_argument(format!("mode: must be active, draining or leaving, got {text:?}"))
    })
}

fn find(state: &ClusterState, node: NodeId) -> Result<&Member, Status> {
    state.node(node).ok_or_else(|| codes::refused(&Rejected::UnknownNode { node }))
}

/// Whether somebody else could hold partitions.
fn is_active_without(state: &ClusterState, node: NodeId) -> bool {
    state.nodes().values().any(|other| other.id != node && other.is_up() && other.mode == Mode::Active)
}
