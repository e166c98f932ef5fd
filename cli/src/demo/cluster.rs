//! The demo's cluster: three real nodes in this process, and what can be seen of them from outside.
//!
//! ```text
//!   boot node 1, settle, boot node 2, settle, boot node 3, settle --> Cluster
//!                                                    Watch <--look-- driver, view
//! ```
//! Nodes come up one after another, each with its own seeded randomness, so that the same seed places partitions
//! alike. Does not know what is asked of the nodes.

use super::clock::DistinctTicks;
use crate::{
    failure::Failure,
    local::{self, LocalNode, Ports},
    server::data_dir_failure,
};
use anyhow::Context;
use predis_node::{Founding, Start, Status};
use predis_policy::PolicyKind;
use predis_types::{PartitionCount, SplitMix64, TenantId, mix64};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How many nodes there are.
pub(super) const NODES: usize = 3;

/// How many client connections a node takes.
const CLIENTS: usize = 256;

/// The tenant of clients that do not say who they are.
const TENANT: TenantId = TenantId(0);

/// What the cluster is made with.
pub(super) struct Settings {
    pub(super) policy: PolicyKind,
    /// What the keys of one node may take.
    pub(super) memory_bytes: u64,
    pub(super) seed: u64,
    /// Whether every event has a microsecond of its own; see [`DistinctTicks`].
    pub(super) distinct_ticks: bool,
}

/// The cluster.
pub(super) struct Cluster {
    nodes: Vec<LocalNode>,
    names: Vec<String>,
    watch: Arc<Watch>,
    _directory: TempDir,
}

/// What was lost with a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// The partitions that it served.
    pub(super) partitions: usize,
    /// The keys in them.
    pub(super) keys: u64,
}

impl Lost {
    /// The event, in words.
    pub(super) fn describe(&self, node: &str) -> String {
        format!("{node} is killed, with {} partitions and {} keys", self.partitions, self.keys)
    }
}

impl Cluster {
    /// Boots the nodes; `ready` hears of each that has come up.
    pub(super) fn boot(
        settings: &Settings,
        runtime: &Runtime,
        mut ready: impl FnMut(&str),
    ) -> Result<Cluster, Failure> {
        let directory = tempfile::Builder::new().prefix("predis-demo-").tempdir();
        let directory = directory.context("cannot create a temporary directory").map_err(Failure::failed)?;
        let mut nodes: Vec<LocalNode> = Vec::new();
        let names: Vec<String> = (1..=NODES).map(|number| format!("node-{number}")).collect();
        for (number, name) in (1..).zip(&names) {
            let seed = nodes.first().map(|founder| founder.node().addresses().grpc.clone());
            nodes.push(boot(settings, directory.path(), number, name, seed)?);
            runtime.block_on(local::settled(&nodes)).map_err(Failure::failed)?;
            ready(name);
        }
        let member = |(node, name): (&LocalNode, &String)| Member {
            name: name.clone(),
            addr: node.node().addresses().resp.clone(),
            status: Mutex::new(Some(node.node().status().clone())),
        };
        let watch = Watch { members: nodes.iter().zip(&names).map(member).collect() };
        Ok(Cluster { nodes, names, watch: Arc::new(watch), _directory: directory })
    }

    /// What others see of it.
    pub(super) fn watch(&self) -> Arc<Watch> {
        self.watch.clone()
    }

    /// Drops a node, given by its place, with all that it is doing.
    pub(super) fn kill(&mut self, index: usize) -> Lost {
        let member = &self.watch.members[index];
        let status = member.status.lock().unwrap_or_else(PoisonError::into_inner).take();
        let running = status.and_then(|status| status.running());
        let lost = running.map_or_else(Lost::default, |running| {
            let shards = &running.serving.shards;
            Lost { partitions: shards.serving().len(), keys: shards.stats(TENANT).keys }
        });
        if let Some(at) = self.names.iter().position(|name| *name == member.name) {
            self.names.remove(at);
            self.nodes.remove(at).kill();
        }
        lost
    }

    /// Stops the nodes that are left.
    pub(super) fn stop(self) {
        // Followers first: a leader that goes last need not be replaced.
        self.nodes.into_iter().rev().for_each(LocalNode::stop);
    }
}

fn boot(
    settings: &Settings,
    directory: &Path,
    number: u64,
    name: &str,
    seed: Option<String>,
) -> Result<LocalNode, Failure> {
    let any = || "127.0.0.1:0".to_owned();
    let ports = Ports { listen: any(), proxy: None, grpc: any(), metrics: any() };
    let start = match seed {
        None => {
            // One copy of each key: the shadows have the memory of all nodes, and what is lost with a node is to be seen
            // coming back.
            Start::Bootstrap(Founding {
                policy: settings.policy.name().to_owned(),
                copies: 1,
                ..Founding::default()
            })
        }
        Some(seed) => Start::Join(vec![seed]),
    };
    let config = local::config(name.to_owned(), ports, Some(settings.memory_bytes), CLIENTS, start);
    let mut io = predis_node::system::open(&directory.join(name)).map_err(data_dir_failure)?;
    io.rng = Mutex::new(Box::new(SplitMix64::new(mix64(settings.seed ^ mix64(number)))));
    if settings.distinct_ticks {
        io.clock = Arc::new(DistinctTicks::new(io.clock));
    }
    LocalNode::boot(config, io)
}

/// The nodes as they can be looked at while others work with them.
pub(super) struct Watch {
    members: Vec<Member>,
}

struct Member {
    name: String,
    addr: String,
    /// `None` once it was killed.
    status: Mutex<Option<Arc<Status>>>,
}

/// The cluster at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// In the order of their numbers.
    pub(super) nodes: Vec<NodeLook>,
    /// Which node serves each partition, by its place; `None`: nobody.
    pub(super) served_by: Vec<Option<usize>>,
    /// How often partitions were lost and started anew, empty.
    pub(super) lost: u64,
    /// Whether a node that was not killed was taken to be dead.
    pub(super) disturbed: bool,
}

/// One node at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeLook {
    pub(super) name: String,
    pub(super) addr: String,
    pub(super) state: NodeState,
    pub(super) partitions: usize,
    pub(super) keys: u64,
    pub(super) used_bytes: u64,
    pub(super) limit_bytes: u64,
}

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeState {
    /// It serves and leads the metadata group.
    Leads,
    /// It serves.
    Serves,
    /// It has no lease at the moment.
    Waits,
    /// It was killed.
    Killed,
}

impl Look {
    /// Whether every slot is served.
    pub(super) fn is_whole(&self) -> bool {
        self.served_by.iter().all(Option::is_some)
    }

    /// How many partitions each node serves.
    pub(super) fn placement(&self) -> Vec<usize> {
        self.nodes.iter().map(|node| node.partitions).collect()
    }
}

impl Watch {
    /// The RESP addresses of all nodes, in the order of their numbers.
    pub(super) fn addrs(&self) -> Vec<String> {
        self.members.iter().map(|member| member.addr.clone()).collect()
    }

    /// A node's name, by its place.
    pub(super) fn name(&self, index: usize) -> &str {
        &self.members[index].name
    }

    /// Looks at every node.
    pub(super) fn look(&self) -> Look {
        let partitions = usize::from(PartitionCount::default().get());
        let mut look = Look { served_by: vec![None; partitions], ..Look::default() };
        for (index, member) in self.members.iter().enumerate() {
            let status = member.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
            look.nodes.push(member.look(status.as_deref()));
            let Some(status) = status else { continue };
            let state = status.meta().published().state;
            look.lost = look.lost.max(state.partitions().iter().map(|partition| partition.lost).sum());
            let mine = state.node(status.node());
            look.disturbed |= mine.is_some_and(|mine| !mine.is_up() || mine.incarnation.0 > 1);
            let Some(running) = status.running() else { continue };
            for (partition, _) in running.serving.shards.serving() {
                if let Some(served) = look.served_by.get_mut(usize::from(partition.0)) {
                    *served = Some(index);
                    look.nodes[index].partitions += 1;
                }
            }
        }
        look
    }
}

impl Member {
    fn look(&self, status: Option<&Status>) -> NodeLook {
        let running = status.and_then(Status::running);
        let state = match (status, &running) {
            (None, _) => NodeState::Killed,
            (Some(_), None) => NodeState::Waits,
            (Some(_), Some(running)) if !running.serving.lease.is_valid() => NodeState::Waits,
            (Some(status), Some(_)) if status.meta().leadership().is_me => NodeState::Leads,
            (Some(_), Some(_)) => NodeState::Serves,
        };
        let shards = running.as_ref().map(|running| &running.serving.shards);
        let budget = shards.and_then(|shards| shards.budget(TENANT));
        NodeLook {
            name: self.name.clone(),
            addr: self.addr.clone(),
            state,
            partitions: 0,
            keys: shards.map_or(0, |shards| shards.stats(TENANT).keys),
            used_bytes: budget.map_or(0, |budget| budget.used_bytes),
            limit_bytes: budget.and_then(|budget| budget.limit_bytes).unwrap_or(0),
        }
    }
}
