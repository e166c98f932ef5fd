//! One simulated machine: a disk and a clock that outlive crashes, and the node that boots on it.

use super::{GRPC_PORT, METRICS_PORT, PROXY_PORT, RESP_PORT, SimClock, WorldTime, host_name, io::SimNet};
use crate::{
    oracle::{Oracle, Watcher},
    workload,
};
use predis_meta::{Ack, Action, MetaCommand};
use predis_node::{Founding, Io, Node, NodeConfig, Profile, Start, boot};
use predis_raft::{MemoryDisk, MetaRaft, seeded};
use predis_types::{PartitionCount, Rng, SplitMix64, mix64};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

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

/// Holds the running node where both the simulation and its observer reach it.
type Slot = Arc<Mutex<Option<Node>>>;

/// What operators want proposed through a node, in order.
#[derive(Default)]
struct Orders {
    waiting: Mutex<VecDeque<Action>>,
    more: Notify,
}

impl Orders {
    /// Proposes one order after the other, for as long as there is a process to do it.
    async fn carry_out(&self, meta: &MetaRaft) -> Infallible {
        loop {
            let next = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(action) = next else {
                self.more.notified().await;
                continue;
            };
            let command = MetaCommand { at_ms: 1, actor: "operator".to_owned(), action };
            // Whoever ordered it looks at what came of it.
            let _ = meta.propose(&command, ORDER_LIMIT).await;
        }
    }
}

/// How long an order may take.
const ORDER_LIMIT: Duration = Duration::from_secs(2);

/// One simulated machine.
pub struct Host {
    spec: HostSpec,
    seed: u64,
    disk: MemoryDisk,
    clock: Arc<SimClock>,
    slot: Slot,
    running: Arc<Mutex<bool>>,
    boots: Arc<AtomicU64>,
    orders: Arc<Orders>,
    oracle: Arc<Mutex<Oracle>>,
}

type Software = Pin<Box<dyn Future<Output = turmoil::Result>>>;

impl Host {
    /// A machine whose clock is wrong by as much as the seed says, within the drift that leases allow for.
    pub fn new(spec: HostSpec, seed: u64, time: Arc<WorldTime>, oracle: Arc<Mutex<Oracle>>) -> Host {
        let mut rng = SplitMix64::new(seed);
        let drift_ppm = rng.below(9_000) as i64 - 4_500;
        let offset_us = rng.below(1 << 40);
        let wall_offset_ms = rng.below(800) as i64 - 400;
        Host {
            spec,
            seed,
            disk: MemoryDisk::new(),
            clock: Arc::new(SimClock::new(time, drift_ppm, offset_us, wall_offset_ms)),
            slot: Slot::default(),
            running: Arc::default(),
            boots: Arc::default(),
            orders: Arc::default(),
            oracle,
        }
    }

    /// Its number.
    pub fn node(&self) -> u64 {
        self.spec.node
    }

    /// Whether its process runs.
    pub fn is_running(&self) -> bool {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the node, if it runs and has booted.
    pub fn with<T>(&self, look: impl FnOnce(&Node) -> T) -> Option<T> {
        if !self.is_running() {
            return None;
        }
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    /// Has this proposed through the node.
    pub(super) fn order(&self, action: Action) {
        self.orders.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(action);
        self.orders.more.notify_one();
    }

    /// How many writes of its disk no sync has covered.
    pub(super) fn unsynced(&self) -> u64 {
        self.disk.unsynced() as u64
    }

    /// Tells the machine that its process is gone, and how many unsynced writes the disk keeps.
    pub(super) fn crashed(&self, kept: u64) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = false;
        // Dropped here, outside of the runtime that died: it only lets go of memory.
        let node = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(node);
        self.disk.crash(usize::try_from(kept).unwrap_or(usize::MAX));
    }

    /// What runs on the machine, from its first boot on.
    pub(super) fn software(&self) -> impl Fn() -> Software + 'static {
        let spec = self.spec.clone();
        let (seed, disk, clock) = (self.seed, self.disk.clone(), self.clock.clone());
        let (slot, running, boots) = (self.slot.clone(), self.running.clone(), self.boots.clone());
        let (oracle, orders) = (self.oracle.clone(), self.orders.clone());
        move || {
            let boot_number = boots.fetch_add(1, Ordering::Relaxed);
            *running.lock().unwrap_or_else(PoisonError::into_inner) = true;
            let seed = mix64(seed ^ boot_number.wrapping_mul(0x9e37_79b9));
            let watcher = Arc::new(Watcher::new(spec.node, oracle.clone()));
            let io = Io {
                binder: Arc::new(SimNet),
                connector: Arc::new(SimNet),
                clock: clock.clone(),
                rng: Mutex::new(Box::new(SplitMix64::new(mix64(seed ^ 1)))),
                disk: Arc::new(disk.clone()),
                probe: watcher.clone(),
            };
            let config = config(&spec, boot_number == 0 || !knows_itself(&disk));
            let (slot, oracle, orders, node) = (slot.clone(), oracle.clone(), orders.clone(), spec.node);
            Box::pin(seeded(seed, async move {
                // Within the simulation: before the first step of a restarted host its clock is the machine's.
                watcher.booted(boot_number);
                let booted = boot(config, io).await?;
                let meta = booted.meta().clone();
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(booted);
                tokio::spawn(workload::metadata(node, meta.clone(), mix64(seed ^ 2), oracle));
                let reason = tokio::select! {
                    biased;
                    reason = meta.failed() => reason,
                    never = orders.carry_out(&meta) => match never {},
                };
                Err(format!("node {node}: {reason}").into())
            }))
        }
    }
}

/// Whether the disk already holds an identity.
fn knows_itself(disk: &MemoryDisk) -> bool {
    use predis_raft::Disk;
    matches!(disk.get_file(predis_node::IDENTITY_FILE), Ok(Some(_)))
}

fn config(spec: &HostSpec, first: bool) -> NodeConfig {
    let start = match spec.join.as_slice() {
        _ if !first => Start::Resume,
        [] => Start::Bootstrap(Founding {
            partitions: PartitionCount::new(spec.partitions).expect("scenarios name a power of two"),
            ack: Ack::Quorum,
            ..Founding::default()
        }),
        seeds => Start::Join(seeds.iter().map(|seed| format!("{}:{GRPC_PORT}", host_name(*seed))).collect()),
    };
    NodeConfig {
        name: host_name(spec.node),
        listen: format!("0.0.0.0:{RESP_PORT}"),
        grpc: format!("0.0.0.0:{GRPC_PORT}"),
        metrics: format!("0.0.0.0:{METRICS_PORT}"),
        advertise: Some(host_name(spec.node)),
        zone: format!("zone-{}", spec.node % 3),
        region: String::new(),
        weight: 100,
        memory_bytes: None,
        tls: None,
        start,
        max_clients: 1000,
        timeout_s: 0,
        exposed: false,
        proxy_listen: Some(format!("0.0.0.0:{PROXY_PORT}")),
        profile: Profile::lan(),
    }
}
