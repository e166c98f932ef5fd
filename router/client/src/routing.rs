//! Which node a partition's calls go to: a table made from each view, corrected by what nodes say.
//!
//! Knows nothing of how calls are made.

use crate::{
    settings::{ReadFrom, Settings},
    upstream::{Mode, Reach, Upstream},
    view::{View, dialled},
};
use arc_swap::ArcSwapOption;
use predis_router::{NodeInfo, Route};
use predis_types::{NodeId, PartitionId};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Where calls on one partition go.
#[derive(Default)]
struct Home {
    primary: ArcSwapOption<Upstream>,
    /// A replica nearer to the client than the primary.
    nearby: Option<Arc<Upstream>>,
    /// That replica sends readers to the primary.
    nearby_refuses: AtomicBool,
}

/// The table of one view.
pub(crate) struct Routing {
    pub(crate) view: Arc<View>,
    homes: Box<[Home]>,
    /// Nodes that are up, those of the client's zone first, and how many of them those are.
    up: Vec<Arc<Upstream>>,
    near: usize,
}

impl Routing {
    /// The table of a view; nodes that were reached before keep their connections.
    pub(crate) fn new(view: Arc<View>, upstreams: &Upstreams) -> Routing {
        let topology = &view.topology;
        let reached: BTreeMap<NodeId, Arc<Upstream>> =
            topology.nodes.iter().map(|(id, info)| (*id, upstreams.at(&dialled(&info.resp)))).collect();
        let settings = &upstreams.reach.settings;
        let home = |partition| home(&view, partition, &reached, settings);
        let homes = topology.partitions.iter().map(home).collect();
        let (near, far): (Vec<_>, Vec<_>) =
            topology.nodes.iter().filter(|(_, info)| info.up).partition(|(_, info)| is_near(info, settings));
        let up = near.iter().chain(&far).map(|(id, _)| reached[id].clone()).collect();
        Routing { homes, up, near: near.len(), view }
    }

    /// The primary of a partition, when there is one.
    pub(crate) fn primary(&self, partition: PartitionId) -> Option<Arc<Upstream>> {
        self.homes.get(usize::from(partition.0))?.primary.load_full()
    }

    /// Where reads of a partition go.
    pub(crate) fn reader(&self, partition: PartitionId) -> Option<(Arc<Upstream>, Mode)> {
        let home = self.homes.get(usize::from(partition.0))?;
        match &home.nearby {
            Some(nearby) if !home.nearby_refuses.load(Relaxed) => Some((nearby.clone(), Mode::Replica)),
            _ => Some((home.primary.load_full()?, Mode::Primary)),
        }
    }

    /// A node that is up: of the client's zone when there are any, `turn` says which of them. Later turns reach all.
    pub(crate) fn any(&self, turn: usize, attempt: usize) -> Option<Arc<Upstream>> {
        let among = if attempt == 0 && self.near > 0 { self.near } else { self.up.len() };
        self.up.get(turn.wrapping_add(attempt) % among.max(1)).cloned()
    }

    /// A node said that it does not serve a partition. It is not asked again, as long as this view lasts.
    pub(crate) fn correct(
        &self,
        partition: PartitionId,
        asked: &Arc<Upstream>,
        mode: Mode,
        right: &Arc<Upstream>,
    ) {
        let Some(home) = self.homes.get(usize::from(partition.0)) else { return };
        match mode {
            Mode::Replica => home.nearby_refuses.store(true, Relaxed),
            // Whoever else was asked meanwhile may know better.
            Mode::Primary | Mode::Tracked => {
                let known = home.primary.load();
                if known.as_ref().is_none_or(|known| Arc::ptr_eq(known, asked)) {
                    home.primary.store(Some(right.clone()));
                }
            }
        }
    }
}

fn home(
    view: &View,
    partition: PartitionId,
    reached: &BTreeMap<NodeId, Arc<Upstream>>,
    settings: &Settings,
) -> Home {
    let topology = &view.topology;
    let primary = match topology.route_partition(partition) {
        Route::Primary { node, .. } => Some(node),
        Route::Unserved { .. } => None,
    };
    let distance = |node: NodeId| match topology.node(node) {
        Some(info) if info.up && is_near(info, settings) => 0,
        Some(info) if info.up && is_in_region(info, settings) => 1,
        _ => 2,
    };
    let nearby = match (settings.read_from, topology.owner(partition)) {
        (ReadFrom::Nearest, Some(owner)) => {
            let copies = owner.replicas.iter().chain(&owner.others).copied();
            let nearest = copies.min_by_key(|node| distance(*node));
            nearest.filter(|node| distance(*node) < primary.map_or(2, distance))
        }
        _ => None,
    };
    Home {
        primary: ArcSwapOption::new(primary.and_then(|node| reached.get(&node).cloned())),
        nearby: nearby.and_then(|node| reached.get(&node).cloned()),
        nearby_refuses: AtomicBool::new(false),
    }
}

fn is_in_region(info: &NodeInfo, settings: &Settings) -> bool {
    !settings.region.is_empty() && info.region == settings.region
}

fn is_near(info: &NodeInfo, settings: &Settings) -> bool {
    !settings.zone.is_empty() && info.zone == settings.zone && info.region == settings.region
}

/// Every node the client has reached, by where it is dialled.
pub(crate) struct Upstreams {
    reach: Arc<Reach>,
    known: Mutex<BTreeMap<String, Arc<Upstream>>>,
}

impl Upstreams {
    pub(crate) fn new(reach: Arc<Reach>) -> Upstreams {
        Upstreams { reach, known: Mutex::default() }
    }

    /// The node at an address.
    pub(crate) fn at(&self, addr: &str) -> Arc<Upstream> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(upstream) = known.get(addr) {
            return upstream.clone();
        }
        let upstream = Arc::new(Upstream::new(addr, self.reach.clone()));
        known.insert(addr.to_owned(), upstream.clone());
        upstream
    }

    /// Forgets nodes that are no members any more. Calls under way to them go on.
    pub(crate) fn keep_members(&self, view: &View) {
        let members: Vec<String> = view.topology.nodes.values().map(|info| dialled(&info.resp)).collect();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|addr, _| members.contains(addr));
    }
}
