//! The admin API's `Topology` service: clients follow where keys live.
//!
//! ```text
//! agreed state --of what routing needs, whenever that changes--> view --stream--> client
//!                             every second without a change --> heartbeat --'
//! ```
//! A follower that does not read is sent the newest view once it does: nothing is queued for it. Knows nothing of
//! leases: whether a node that a view names may answer is decided on that node.

use super::guard::Permit;
use crate::{
    access::{Access, Identity},
    topology,
};
use futures_util::stream::{self, Stream};
use predis_meta::ClusterState;
use predis_proto::admin::{self, FollowRequest, Place, TopologyView};
use predis_raft::{MetaRaft, Published};
use predis_types::{NodeId, TenantId};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Interval, MissedTickBehavior, interval},
};
use tonic::{Request, Response, Status};

/// How many may follow one node at a time.
const MAX_FOLLOWERS: usize = 4096;

/// How long there is nothing to say before that is said.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The service.
pub(super) struct Topology {
    meta: MetaRaft,
    access: Arc<Access>,
    stop: watch::Receiver<bool>,
    places: Arc<Semaphore>,
}

impl Topology {
    /// The service of a node that stops when `stop` turns true.
    pub(super) fn new(meta: MetaRaft, access: Arc<Access>, stop: watch::Receiver<bool>) -> Topology {
        Topology { meta, access, stop, places: Arc::new(Semaphore::new(MAX_FOLLOWERS)) }
    }
}

#[tonic::async_trait]
impl admin::topology_server::Topology for Topology {
    type FollowStream = Pin<Box<dyn Stream<Item = Result<TopologyView, Status>> + Send>>;

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let identity = Permit::of(&request)?.identity;
        let place = self.places.clone().try_acquire_owned();
        let _place = place.map_err(|_| {
            Status::resource_exhausted(format!("{MAX_FOLLOWERS} follow this node already: ask another one"))
        })?;
        let follower = Follower {
            published: self.meta.watch(),
            access: self.access.clone(),
            identity,
            stop: self.stop.clone(),
            _place,
        };
        Ok(Response::new(Box::pin(views(follower))))
    }
}

/// One that follows.
struct Follower {
    published: watch::Receiver<Published>,
    access: Arc<Access>,
    identity: Arc<Identity>,
    stop: watch::Receiver<bool>,
    /// Its place among those that may follow at a time.
    _place: OwnedSemaphorePermit,
}

/// What a follower is sent: a view at once, one whenever it changes, heartbeats between. Ends when the node stops, and
/// with an error when the follower is nobody any more.
fn views(mut follower: Follower) -> impl Stream<Item = Result<TopologyView, Status>> + Send {
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The state at hand is news to whoever begins to follow.
    follower.published.mark_changed();
    let following = Following { follower, beat, sent: None };
    stream::unfold(Some(following), |following| async move {
        let mut following = following?;
        match following.next().await? {
            Ok(view) => Some((Ok(view), Some(following))),
            Err(status) => Some((Err(status), None)),
        }
    })
}

struct Following {
    follower: Follower,
    beat: Interval,
    /// The view that was sent last.
    sent: Option<TopologyView>,
}

impl Following {
    async fn next(&mut self) -> Option<Result<TopologyView, Status>> {
        loop {
            let is_beat = tokio::select! {
                biased;
                _ = self.follower.stop.wait_for(|stop| *stop) => return None,
                changed = self.follower.published.changed() => {
                    changed.ok()?;
                    false
                }
                _ = self.beat.tick() => true,
            };
            if is_beat {
                let Some(TopologyView { version, .. }) = self.sent else { continue };
                let heartbeat = TopologyView { version, ..TopologyView::default() };
                return Some(self.follower.identify().map(|()| heartbeat));
            }
            let view = match self.follower.view() {
                Ok(view) => view,
                Err(status) => return Some(Err(status)),
            };
            if let Some(view) = view.filter(|view| is_news(view, self.sent.as_ref())) {
                self.beat.reset();
                self.sent = Some(view.clone());
                return Some(Ok(view));
            }
        }
    }
}

impl Follower {
    /// Who was allowed to follow may have been disabled since, or its token have expired.
    fn identify(&mut self) -> Result<(), Status> {
        self.identity = self.access.still(&self.identity).ok_or_else(|| {
            Status::unauthenticated("the token was revoked or has expired, or its user was disabled")
        })?;
        Ok(())
    }

    /// The state as the follower's tenant sees it; `None` before there is a cluster.
    fn view(&mut self) -> Result<Option<TopologyView>, Status> {
        let now = self.published.borrow_and_update().clone();
        self.access.update(&now);
        self.identify()?;
        Ok(view_of(&now, self.identity.tenant, self.identity.gate.colocated.map(|home| u32::from(home.0))))
    }
}

/// Whether a view differs in more than its version.
fn is_news(view: &TopologyView, sent: Option<&TopologyView>) -> bool {
    sent.is_none_or(|sent| TopologyView { version: view.version, ..sent.clone() } != *view)
}

fn view_of(published: &Published, tenant: TenantId, colocated_in: Option<u32>) -> Option<TopologyView> {
    let topology = topology::of(published)?;
    let state: &ClusterState = &published.state;
    let place = |member: &predis_meta::Member| Place {
        id: member.id.0,
        resp_addr: member.addrs.resp.clone(),
        grpc_addr: member.addrs.grpc.clone(),
        zone: member.zone.clone(),
        region: member.region.clone(),
        up: member.is_up(),
    };
    let owner = |owner: &predis_router::Owner| admin::Owner {
        primary: owner.primary.map_or(0, |node| node.0),
        epoch: owner.epoch.0,
        replicas: owner.replicas.iter().map(|NodeId(id)| *id).collect(),
        others: owner.others.iter().map(|NodeId(id)| *id).collect(),
    };
    let settings = state.tenants().get(&tenant).map(|tenant| &tenant.settings);
    Some(TopologyView {
        version: topology.version,
        cluster: topology.cluster.to_string(),
        partition_count: u32::from(topology.partitions.get()),
        nodes: state.nodes().values().map(place).collect(),
        owners: topology.owners.iter().map(owner).collect(),
        tenant: tenant.0,
        colocated_in,
        ack: settings.map(|settings| settings.ack.to_string()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use predis_meta::{
        Ack, Action, Addresses, ClusterInfo, Expect, MetaCommand, NewMember, NewTenant, NewToken, NewUser,
        TenantPlacement, TenantSettings, UserRole, VERSION,
    };
    use predis_types::{ClusterId, Incarnation, ManualClock, PartitionCount, Secret};
    use std::collections::BTreeMap;

    /// A cluster of one, of which a user of a tenant whose keys live together follows the topology.
    struct Rig {
        state: ClusterState,
        index: u64,
        published: watch::Sender<Published>,
        access: Arc<Access>,
        clock: Arc<ManualClock>,
        stop: watch::Sender<bool>,
    }

    /// When one of the tokens expires.
    const SHORT_UNTIL_MS: u64 = 5_000;

    fn member(id: u64) -> NewMember {
        let at = |port: u16| format!("10.0.0.{id}:{port}");
        NewMember {
            id: NodeId(id),
            name: format!("n{id}"),
            addrs: Addresses { resp: at(6379), grpc: at(7379), metrics: at(9090) },
            zone: "a".into(),
            region: "eu".into(),
            weight: 100,
            metadata_version: VERSION,
        }
    }

    fn tenant(id: u32, name: &str, placement: TenantPlacement, ack: Ack) -> NewTenant {
        let settings = TenantSettings::unlimited(ack, "lru");
        NewTenant { id: TenantId(id), name: name.into(), placement, settings }
    }

    impl Rig {
        fn new() -> Rig {
            let clock = Arc::new(ManualClock::new(1000));
            let access = Arc::new(Access::new(clock.clone(), false));
            let state = ClusterState::new();
            let (published, _) = watch::channel(Published::default());
            let (stop, _) = watch::channel(false);
            let mut rig = Rig { state, index: 0, published, access, clock, stop };
            rig.apply(Action::CreateCluster {
                info: ClusterInfo {
                    id: ClusterId(7),
                    created_at_ms: 1,
                    partitions: PartitionCount::new(4).unwrap(),
                    copies: 2,
                    hash_key: [1, 2],
                },
                founder: member(1),
                incarnation: Incarnation(1),
                tenant: tenant(0, "default", TenantPlacement::Spread, Ack::Async),
                placement: vec![vec![NodeId(1)]; 4],
                config: BTreeMap::new(),
                users: Vec::new(),
            });
            let tenant = tenant(1, "shop", TenantPlacement::Colocated, Ack::Quorum);
            rig.apply(Action::CreateTenant { tenant });
            let hash = Secret::new("token").digest().to_string();
            let token = |id: &str, hash, expires_at_ms| NewToken { id: id.into(), hash, expires_at_ms };
            let short = Secret::new("short").digest().to_string();
            rig.apply(Action::CreateUser {
                user: NewUser {
                    name: "app".into(),
                    tenant: TenantId(1),
                    role: UserRole::ReadOnly,
                    tokens: vec![token("t", hash, None), token("s", short, Some(SHORT_UNTIL_MS))],
                },
            });
            rig
        }

        fn apply(&mut self, action: Action) {
            self.index += 1;
            let command = MetaCommand { at_ms: 1, actor: "test".into(), action };
            self.state.apply(self.index, &command).unwrap();
            let state = Arc::new(self.state.clone());
            let published = Published { index: self.index, state, addresses: Arc::default() };
            self.access.update(&published);
            self.published.send_replace(published);
        }

        fn follow(
            &self,
            token: Option<&str>,
        ) -> impl Stream<Item = Result<TopologyView, Status>> + Unpin + use<> {
            let identity = match token {
                Some(token) => self.access.authenticate(None, token.as_bytes()).unwrap(),
                None => self.access.anonymous().unwrap(),
            };
            let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
            Box::pin(views(Follower {
                published: self.published.subscribe(),
                access: self.access.clone(),
                identity,
                stop: self.stop.subscribe(),
                _place: place,
            }))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_follower_gets_its_tenants_view_then_changes_and_heartbeats() {
        let mut rig = Rig::new();
        let mut views = rig.follow(Some("token"));
        let first = views.next().await.unwrap().unwrap();
        assert_eq!((first.version, first.partition_count, first.owners.len()), (3, 4, 4));
        assert_eq!((first.tenant, first.colocated_in, first.ack.as_str()), (1, Some(1), "quorum"));
        assert!(first.owners.iter().all(|owner| owner.primary == 1 && owner.epoch == 1));
        assert_eq!((first.nodes[0].resp_addr.as_str(), first.nodes[0].up), ("10.0.0.1:6379", true));

        let heartbeat = TopologyView { version: 3, ..TopologyView::default() };
        let before = tokio::time::Instant::now();
        assert_eq!(views.next().await.unwrap().unwrap(), heartbeat);
        assert_eq!(before.elapsed(), HEARTBEAT);
        // What routing does not need is not sent.
        rig.apply(Action::SetConfig { key: "k".into(), value: Some("v".into()), expect: Expect::Any });
        assert_eq!(views.next().await.unwrap().unwrap(), heartbeat);
        rig.apply(Action::IssueNode { member: member(2) });
        let changed = views.next().await.unwrap().unwrap();
        assert_eq!((changed.version, changed.nodes.len()), (5, 2));
        assert!(!changed.nodes[1].up);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_follower_gets_only_the_newest_view_and_an_anonymous_one_the_default_tenants() {
        let mut rig = Rig::new();
        let mut views = rig.follow(None);
        let first = views.next().await.unwrap().unwrap();
        assert_eq!((first.tenant, first.colocated_in, first.ack.as_str()), (0, None, "async"));
        rig.apply(Action::IssueNode { member: member(2) });
        rig.apply(Action::IssueNode { member: member(3) });
        let newest = views.next().await.unwrap().unwrap();
        assert_eq!((newest.version, newest.nodes.len()), (5, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_follower_ends_with_its_token_and_with_the_node() {
        let mut rig = Rig::new();
        let (mut views, mut others) = (rig.follow(Some("token")), rig.follow(None));
        assert!(views.next().await.unwrap().is_ok() && others.next().await.unwrap().is_ok());
        rig.apply(Action::RevokeToken { user: "app".into(), id: "t".into() });
        let refused = views.next().await.unwrap().unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unauthenticated);
        assert!(views.next().await.is_none());
        rig.stop.send_replace(true);
        assert!(others.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_expires_is_noticed_without_any_change() {
        let rig = Rig::new();
        let mut views = rig.follow(Some("short"));
        assert!(views.next().await.unwrap().is_ok());
        assert!(views.next().await.unwrap().is_ok(), "a heartbeat");
        rig.clock.advance_ms(SHORT_UNTIL_MS);
        assert_eq!(views.next().await.unwrap().unwrap_err().code(), tonic::Code::Unauthenticated);
    }
}
