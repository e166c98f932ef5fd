//! The simulated world: hosts with disks and clocks that outlive crashes, and the links between them.

mod clock;
mod host;
mod io;
mod task_ids;

pub use clock::{SimClock, WorldTime};
pub use host::{Host, HostSpec};
pub(crate) use task_ids::align;

use crate::{oracle::Oracle, workload};
use predis_meta::Action;
use predis_types::{Rng, SplitMix64, mix64};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
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

/// The host name of a node.
pub fn host_name(node: u64) -> String {
    format!("node-{node}")
}

/// A simulated cluster under test.
pub struct World {
    sim: turmoil::Sim<'static>,
    time: Arc<WorldTime>,
    hosts: BTreeMap<u64, Host>,
    rng: SplitMix64,
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
            .min_message_latency(Duration::from_micros(200))
            .max_message_latency(Duration::from_millis(4))
            .tcp_capacity(1 << 16)
            .enable_random_order()
            .build();
        World {
            sim,
            time: Arc::new(WorldTime::default()),
            hosts: BTreeMap::new(),
            rng: SplitMix64::new(mix64(seed ^ 0x776f_726c_6400)),
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

    /// Random numbers for faults.
    pub fn rng(&mut self) -> &mut SplitMix64 {
        &mut self.rng
    }

    /// Adds a node and starts it.
    pub fn add_node(&mut self, spec: HostSpec) {
        let seed = self.rng.next_u64();
        let host = Host::new(spec, seed, self.time.clone(), self.oracle.clone());
        let software = host.software();
        self.sim.host(host_name(host.node()), software);
        self.hosts.insert(host.node(), host);
    }

    /// Adds a client that writes and reads keys through RESP.
    pub fn add_client(&mut self, client: u64, nodes: Vec<u64>) {
        let seed = self.rng.next_u64();
        let oracle = self.oracle.clone();
        self.sim.client(format!("client-{client}"), workload::keys(client, nodes, seed, oracle));
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
    /// When a host's software ended with an error.
    pub fn step(&mut self) -> Result<(), String> {
        let stepped = self.sim.step().map_err(|error| error.to_string());
        self.time.set(self.sim.elapsed());
        self.clients_done = stepped?;
        Ok(())
    }

    /// Whether every client has finished.
    pub fn clients_done(&self) -> bool {
        self.clients_done
    }

    /// Stops a node at once. The process alone (`power` false), or the machine with all that its disk had not
    /// synced, up to a random point.
    pub fn crash(&mut self, node: u64, power: bool) {
        let Some(host) = self.hosts.get(&node).filter(|host| host.is_running()) else { return };
        let unsynced = host.unsynced();
        let kept = if power { self.rng.below(unsynced + 1) } else { unsynced };
        self.sim.crash(host_name(node));
        host.crashed(kept);
        let kind = if power { "power-loss" } else { "crash" };
        self.note(format!("{kind} {node} keeps {kept} of {unsynced} unsynced writes"));
    }

    /// Starts a crashed node again.
    pub fn restart(&mut self, node: u64) {
        if self.hosts.get(&node).is_some_and(|host| !host.is_running()) {
            self.note(format!("restart {node}"));
            self.sim.bounce(host_name(node));
        }
    }

    /// Cuts the links between two nodes, both ways.
    pub fn partition(&mut self, a: u64, b: u64) {
        self.note(format!("partition {a} {b}"));
        self.sim.partition(host_name(a), host_name(b));
    }

    /// Cuts the link from one node to another; the way back stays.
    pub fn partition_oneway(&mut self, from: u64, to: u64) {
        self.note(format!("partition-oneway {from} {to}"));
        self.sim.partition_oneway(host_name(from), host_name(to));
    }

    /// Mends the links between two nodes, both ways.
    pub fn repair(&mut self, a: u64, b: u64) {
        self.note(format!("repair {a} {b}"));
        self.sim.repair(host_name(a), host_name(b));
    }

    /// Cuts a node off from all others.
    pub fn isolate(&mut self, node: u64) {
        for other in self.others(node) {
            self.partition(node, other);
        }
    }

    /// Mends all links of a node.
    pub fn rejoin(&mut self, node: u64) {
        for other in self.others(node) {
            self.repair(node, other);
        }
    }

    /// Makes messages between two nodes take this long.
    pub fn slow(&mut self, a: u64, b: u64, latency: Duration) {
        self.note(format!("slow {a} {b} {latency:?}"));
        self.sim.set_link_latency(host_name(a), host_name(b), latency);
    }

    /// Breaks links at random: the probability that a message's link fails, and that a failed one mends.
    pub fn lossy(&mut self, a: u64, b: u64, fail_rate: f64) {
        self.note(format!("lossy {a} {b} {fail_rate}"));
        self.sim.set_link_fail_rate(host_name(a), host_name(b), fail_rate);
    }

    /// The node that leads, by the highest term that a running node knows.
    pub fn leader(&self) -> Option<u64> {
        let leads = |host: &Host| {
            let leadership = host.with(|node| node.meta().leadership())?;
            leadership.is_me.then_some((leadership.term, host.node()))
        };
        self.hosts.values().filter_map(leads).max().map(|(_, node)| node)
    }

    fn others(&self, node: u64) -> Vec<u64> {
        self.hosts.keys().copied().filter(|other| *other != node).collect()
    }

    /// Counts a fault, into the trace too.
    fn note(&self, fault: String) {
        crate::oracle::lock(&self.oracle).fault(self.sim.elapsed(), fault);
    }
}
