//! The simulated world: machines with disks and clocks that outlive crashes, the processes on them, and the links
//! between them.
//!
//! ```text
//! step: turmoil's tick (network, kernels, clients) --> every process that runs, in random order, for as long
//!       --> processes that gave up on a failing disk are started again
//! ```
//! What can go wrong with it is in [`crate::fault`], one file each.

mod clock;
mod courier;
mod host;
mod io;
mod kernel;
mod links;
mod orders;
mod panics;
mod process;
mod program;
mod task_ids;

pub use clock::{SimClock, WorldTime};
pub use courier::Odds;
pub use host::{Host, HostSpec};
pub(crate) use links::Cut;
pub(crate) use task_ids::align;

use crate::{oracle::Oracle, workload};
use links::Links;
use predis_meta::Action;
use predis_raft::DiskFaults;
use predis_types::{NodeId, Rng, SplitMix64, mix64};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The port that nodes speak RESP on.
pub const RESP_PORT: u16 = 6379;
/// The port of their proxy endpoints.
pub const PROXY_PORT: u16 = 6380;
/// The port that nodes speak gRPC on.
pub const GRPC_PORT: u16 = 7379;
/// The port that nodes serve metrics on.
pub const METRICS_PORT: u16 = 9090;

/// How long messages take, unless a fault has it that they take longer.
pub(crate) const LATENCY: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(4));

/// The nodes that there are or were, as a name service lists them to clients.
pub(crate) type Names = Arc<Mutex<Vec<u64>>>;

/// How long after its process gave up a service manager starts it again.
const REVIVE_AFTER: Duration = Duration::from_millis(500);

/// The host name of a node.
pub fn host_name(node: u64) -> String {
    format!("node-{node}")
}

/// A simulated cluster under test.
pub struct World {
    pub(crate) sim: turmoil::Sim<'static>,
    pub(crate) hosts: BTreeMap<u64, Host>,
    pub(crate) rng: SplitMix64,
    pub(crate) links: Links,
    time: Arc<WorldTime>,
    names: Names,
    clients: Vec<String>,
    revive_at: BTreeMap<u64, Duration>,
    clients_done: bool,
    oracle: Arc<Mutex<Oracle>>,
}

impl World {
    /// An empty world; everything in it follows from `seed`.
    pub fn new(seed: u64) -> World {
        let sim = turmoil::Builder::new()
            .rng_seed(mix64(seed))
            .simulation_duration(Duration::from_secs(3600))
            .tick_duration(Duration::from_millis(1))
            .min_message_latency(LATENCY.0)
            .max_message_latency(LATENCY.1)
            .tcp_capacity(1 << 16)
            .enable_random_order()
            .build();
        World {
            sim,
            hosts: BTreeMap::new(),
            rng: SplitMix64::new(mix64(seed ^ 0x776f_726c_6400)),
            links: Links::default(),
            time: Arc::new(WorldTime::default()),
            names: Names::default(),
            clients: Vec::new(),
            revive_at: BTreeMap::new(),
            clients_done: false,
            oracle: Arc::default(),
        }
    }

    /// What was observed so far.
    pub fn oracle(&self) -> Arc<Mutex<Oracle>> {
        self.oracle.clone()
    }

    /// How long the simulation has run, in simulated time.
    pub fn elapsed(&self) -> Duration {
        self.sim.elapsed()
    }

    /// Adds a node and starts it.
    pub fn add_node(&mut self, spec: HostSpec) {
        let (node, seed) = (spec.node, self.rng.next_u64());
        let mut host = Host::new(spec, seed, self.time.clone(), self.oracle.clone());
        self.note(format!("clock-drift {node} {} ppm", host.clock().drift_ppm()));
        self.note(format!("clock-skew {node} {} ms", host.clock().wall_offset_ms()));
        self.sim.host(host_name(node), host.kernel());
        host.start();
        self.hosts.insert(node, host);
        self.names.lock().unwrap_or_else(PoisonError::into_inner).push(node);
    }

    /// Adds a client that works through RESP.
    pub fn add_client(&mut self, client: u64) {
        let seed = self.rng.next_u64();
        let (name, oracle) = (format!("client-{client}"), self.oracle.clone());
        self.sim.client(name.as_str(), workload::client(client, self.names.clone(), seed, oracle));
        self.clients.push(name);
    }

    /// Has an operator ask for something, through whoever leads; what comes of it is for the caller to see.
    pub fn operate(&mut self, action: Action) {
        if let Some(host) = self.leader().and_then(|leader| self.hosts.get(&leader)) {
            host.order(action);
        }
    }

    /// The nodes that were added, by number.
    pub fn hosts(&self) -> &BTreeMap<u64, Host> {
        &self.hosts
    }

    /// One tick of simulated time.
    ///
    /// # Errors
    /// When a node went down by itself and its disk is not to blame.
    pub fn step(&mut self) -> Result<(), String> {
        let stepped = self.sim.step().map_err(|error| error.to_string());
        let now = self.sim.elapsed();
        self.time.set(now);
        crate::oracle::lock(&self.oracle).set_now(now);
        self.clients_done = stepped?;
        let mut order: Vec<u64> = self.hosts.keys().copied().collect();
        for at in (1..order.len()).rev() {
            order.swap(at, self.rng.below(at as u64 + 1) as usize);
        }
        for node in order {
            self.run(node)?;
        }
        while let Some((node, _)) = self.revive_at.iter().find(|(_, at)| **at <= now) {
            let node = *node;
            self.revive_at.remove(&node);
            self.restart(node);
        }
        Ok(())
    }

    /// Lets a process run for a tick, and sees to it if it ended.
    fn run(&mut self, node: u64) -> Result<(), String> {
        let Some(host) = self.hosts.get_mut(&node) else { return Ok(()) };
        let Some(exit) = host.run() else { return Ok(()) };
        let (left, faults) = (host.has_left(), host.disk_faults());
        self.end_process(node);
        match exit {
            _ if left => self.note(format!("left {node}")),
            Err(reason) if faults != DiskFaults::default() => {
                self.note(format!("fail-stop {node} {reason}"));
                self.revive_at.insert(node, self.elapsed() + REVIVE_AFTER);
            }
            Err(reason) => return Err(format!("node {node}: {reason}")),
            Ok(()) => return Err(format!("node {node} ended and has not left")),
        }
        Ok(())
    }

    /// Whether every client has finished.
    pub fn clients_done(&self) -> bool {
        self.clients_done
    }

    /// The node that leads, by the highest term that a running node knows.
    pub fn leader(&self) -> Option<u64> {
        let leads = |host: &Host| {
            let leadership = host.with(|node| node.meta().leadership())?;
            leadership.is_me.then_some((leadership.term, host.node()))
        };
        self.hosts.values().filter_map(leads).max().map(|(_, node)| node)
    }

    /// The node that is primary of some partition, as the leader knows it; which one `choice` decides.
    pub fn primary(&self, choice: u64) -> Option<u64> {
        let leader = self.hosts.get(&self.leader()?)?;
        let state = leader.with(|node| node.meta().published().state)?;
        let partitions = state.partitions();
        let at = usize::try_from(choice % (partitions.len() as u64).max(1)).ok()?;
        self.host_of(partitions.get(at)?.primary?.node)
    }

    fn host_of(&self, id: NodeId) -> Option<u64> {
        self.hosts.values().find(|host| host.id() == Some(id)).map(Host::node)
    }

    /// All nodes but one.
    pub(crate) fn others(&self, node: u64) -> Vec<u64> {
        self.hosts.keys().copied().filter(|other| *other != node).collect()
    }

    /// The names of all machines but a node's: other nodes and clients.
    pub(crate) fn other_names(&self, node: u64) -> Vec<String> {
        self.others(node).into_iter().map(host_name).chain(self.clients.iter().cloned()).collect()
    }

    /// A number that no node has yet.
    pub fn next_node(&self) -> u64 {
        self.hosts.keys().last().map_or(1, |last| last + 1)
    }

    /// Counts a fault, into the trace too; its first word is its kind.
    pub(crate) fn note(&self, fault: String) {
        crate::oracle::lock(&self.oracle).fault(self.sim.elapsed(), fault);
    }
}
