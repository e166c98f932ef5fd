//! One simulated machine: a disk, clocks and a network stack that outlive its process, and the process.

use super::{
    SimClock, WorldTime,
    courier::{Odds, SimCourier},
    io::SimNet,
    kernel::{self, Call, Egress},
    orders::Orders,
    process::{Exit, Process},
    program::{Boot, Slot},
};
use crate::oracle::Oracle;
use predis_meta::Action;
use predis_node::Node;
use predis_raft::{Disk, DiskFaults, MemoryDisk};
use predis_replica::StreamConfig;
use predis_types::{Clock, NodeId, Rng, SplitMix64, mix64};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc;

/// What a host is to be.
#[derive(Clone, Debug)]
pub struct HostSpec {
    /// Its number, from 1.
    pub node: u64,
    /// The members it joins; none for the founder.
    pub join: Vec<u64>,
    /// How many partitions the founder cuts the slots into.
    pub partitions: u16,
}

/// One simulated machine.
pub struct Host {
    spec: HostSpec,
    seed: u64,
    disk: MemoryDisk,
    disk_latency: Duration,
    limits: StreamConfig,
    clock: Arc<SimClock>,
    egress: Egress,
    courier: Arc<SimCourier>,
    // Where the next process finds its machine's kernel.
    wire: Arc<Mutex<Option<mpsc::UnboundedSender<Call>>>>,
    process: Option<Process>,
    paused: bool,
    leaving: bool,
    runs_every_ms: u64,
    ran_at_ms: u64,
    boots: u64,
    faults_at_boot: DiskFaults,
    slot: Slot,
    orders: Arc<Orders>,
    oracle: Arc<Mutex<Oracle>>,
}

type Software = Pin<Box<dyn Future<Output = turmoil::Result>>>;

impl Host {
    /// A machine whose clock error, disk, limits and randomness follow from `seed`.
    pub(super) fn new(spec: HostSpec, seed: u64, time: Arc<WorldTime>, oracle: Arc<Mutex<Oracle>>) -> Host {
        let mut rng = SplitMix64::new(seed);
        let drift_ppm = rng.below(9_000) as i64 - 4_500;
        let offset_us = rng.below(1 << 40);
        let wall_offset_ms = rng.below(500) as i64 - 250;
        let disk_latency = Duration::from_millis(rng.below(4));
        let courier = Arc::new(SimCourier::new(spec.node, rng.next_u64(), oracle.clone()));
        let disk = MemoryDisk::new();
        disk.slow(disk_latency);
        Host {
            spec,
            seed,
            disk,
            disk_latency,
            limits: limits(&mut rng),
            clock: Arc::new(SimClock::new(time, drift_ppm, offset_us, wall_offset_ms)),
            egress: Egress::default(),
            courier,
            wire: Arc::default(),
            process: None,
            paused: false,
            leaving: false,
            runs_every_ms: 1,
            ran_at_ms: 0,
            boots: 0,
            faults_at_boot: DiskFaults::default(),
            slot: Slot::default(),
            orders: Arc::default(),
            oracle,
        }
    }

    /// Its number.
    pub fn node(&self) -> u64 {
        self.spec.node
    }

    /// The id that its cluster gave it, if it has one.
    pub fn id(&self) -> Option<NodeId> {
        self.identity()?.get("node")?.as_u64().map(NodeId)
    }

    /// Whether it noted that it is a member no more.
    pub fn has_left(&self) -> bool {
        self.identity().and_then(|identity| identity.get("left")?.as_bool()) == Some(true)
    }

    /// Whether it was told to leave; that the cluster has agreed to it is another matter.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Notes that it is told to leave.
    pub(crate) fn set_leaving(&mut self) {
        self.leaving = true;
    }

    fn identity(&self) -> Option<serde_json::Value> {
        let file = self.disk.get_file(predis_node::IDENTITY_FILE).ok()??;
        serde_json::from_slice(&file).ok()
    }

    /// Whether its process is there, running or standing still.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Whether its process stands still.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Looks at the node, if it is there and has booted.
    pub fn with<T>(&self, look: impl FnOnce(&Node) -> T) -> Option<T> {
        if !self.is_running() {
            return None;
        }
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// Its clocks.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// Its disk.
    pub fn disk(&self) -> &MemoryDisk {
        &self.disk
    }

    /// How often its disk has failed the process that is there now.
    pub fn disk_faults(&self) -> DiskFaults {
        let (now, then) = (self.disk.faults(), self.faults_at_boot);
        DiskFaults {
            syncs: now.syncs - then.syncs,
            files: now.files - then.files,
            full: now.full - then.full,
        }
    }

    /// Has this proposed through the node.
    pub(super) fn order(&self, action: Action) {
        self.orders.push(action);
    }

    /// Sets what becomes of the calls that it makes.
    pub(crate) fn set_odds(&self, odds: Odds) {
        self.courier.set(odds);
    }

    /// Makes it slow: it sends `late`, its process runs every so many milliseconds only, and a sync takes `sync`
    /// more than it would.
    pub(crate) fn set_slowness(&mut self, late: Duration, runs_every_ms: u64, sync: Duration) {
        self.egress.set(late);
        self.runs_every_ms = runs_every_ms;
        self.slow_disk(sync);
    }

    /// Makes a sync take so much longer than it would.
    pub(crate) fn slow_disk(&self, more: Duration) {
        self.disk.slow(self.disk_latency + more);
    }

    /// Has its process stand still, or go on.
    pub(crate) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// What turmoil runs on the machine: its network stack, from when it is switched on.
    pub(super) fn kernel(&self) -> impl Fn() -> Software + 'static {
        let (wire, egress) = (self.wire.clone(), self.egress.clone());
        move || {
            let (calls, called) = mpsc::unbounded_channel();
            *wire.lock().unwrap_or_else(PoisonError::into_inner) = Some(calls);
            Box::pin(kernel::run(called, egress.clone()))
        }
    }

    /// Whether the machine is on and waits for a process.
    pub(crate) fn is_on(&self) -> bool {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Starts its process. The machine has been switched on.
    pub(crate) fn start(&mut self) {
        let kernel = self.wire.lock().unwrap_or_else(PoisonError::into_inner).take();
        let boot = Boot {
            spec: self.spec.clone(),
            number: self.boots,
            seed: self.seed,
            limits: self.limits,
            net: SimNet::new(kernel.expect("the machine is on"), self.courier.clone()),
            clock: self.clock.clone(),
            disk: self.disk.clone(),
            slot: self.slot.clone(),
            orders: self.orders.clone(),
            oracle: self.oracle.clone(),
        };
        let seed = mix64(self.seed ^ mix64(self.boots));
        self.boots += 1;
        self.faults_at_boot = self.disk.faults();
        self.ran_at_ms = self.clock.mono_us() / 1_000;
        self.process = Some(Process::start(boot.program(), seed, self.ran_at_ms));
    }

    /// Lets its process run until now, if it is its turn; tells how it ended, if it did by itself.
    pub(super) fn run(&mut self) -> Option<Exit> {
        let now_ms = self.clock.mono_us() / 1_000;
        let process = self.process.as_mut()?;
        if self.paused || now_ms < self.ran_at_ms + self.runs_every_ms {
            return None;
        }
        self.ran_at_ms = now_ms;
        process.run(now_ms)
    }

    /// Ends its process where it stands; the disk keeps so many of the writes that no sync has covered.
    pub(crate) fn stop(&mut self, kept: u64) {
        // The process first: the node that is left behind only lets go of memory.
        self.process = None;
        self.paused = false;
        let node = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(node);
        self.disk.crash(usize::try_from(kept).unwrap_or(usize::MAX));
    }
}

/// What a node's replication keeps and how patient it is: what production has, or so little that what is rare there
/// happens often. Nothing that is promised depends on it.
fn limits(rng: &mut SplitMix64) -> StreamConfig {
    let production = StreamConfig::default();
    let mut either = |small: u64, usual: u64| if rng.below(2) == 0 { small } else { usual };
    StreamConfig {
        keep_bytes: either(0, production.keep_bytes as u64) as usize,
        most_bytes: either(4 << 10, production.most_bytes as u64) as usize,
        patience_us: either(300_000, production.patience_us),
        page_bytes: either(1, production.page_bytes),
        ..production
    }
}
