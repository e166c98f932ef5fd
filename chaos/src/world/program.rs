//! What the process of a simulated machine runs: a node, booted as in production, and the work that goes on in it.

use super::{
    GRPC_PORT, HostSpec, METRICS_PORT, PROXY_PORT, RESP_PORT, SimClock, host_name,
    io::SimNet,
    orders::Orders,
    process::{Exit, Program},
};
use crate::{
    oracle::{Oracle, Watcher},
    workload,
};
use predis_node::{Ending, Founding, Io, Node, NodeConfig, Profile, Start, boot};
use predis_raft::{Disk, MemoryDisk, seeded};
use predis_replica::StreamConfig;
use predis_types::{PartitionCount, SplitMix64, mix64};
use std::{
    error::Error,
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

/// Holds the running node where both its process and the observer reach it.
pub(super) type Slot = Arc<Mutex<Option<Node>>>;

/// All that a process starts with.
pub(super) struct Boot {
    pub(super) spec: HostSpec,
    /// Which boot of the machine it is, from 0.
    pub(super) number: u64,
    pub(super) seed: u64,
    pub(super) limits: StreamConfig,
    pub(super) net: SimNet,
    pub(super) clock: Arc<SimClock>,
    pub(super) disk: MemoryDisk,
    pub(super) slot: Slot,
    pub(super) orders: Arc<Orders>,
    pub(super) oracle: Arc<Mutex<Oracle>>,
}

impl Boot {
    /// The program, which runs until the node does not go on.
    pub(super) fn program(self) -> Program {
        let seed = mix64(self.seed ^ self.number.wrapping_mul(0x9e37_79b9));
        Box::pin(seeded(seed, self.run(seed)))
    }

    async fn run(self, seed: u64) -> Exit {
        let watcher = Arc::new(Watcher::new(self.spec.node, self.oracle.clone()));
        watcher.booted(self.number);
        let net = Arc::new(self.net);
        let io = Io {
            binder: net.clone(),
            connector: net,
            clock: self.clock,
            rng: Mutex::new(Box::new(SplitMix64::new(mix64(seed ^ 1)))),
            disk: Arc::new(self.disk.clone()),
            probe: watcher,
        };
        let booted =
            boot(config(&self.spec, self.limits, self.number == 0 || !knows_itself(&self.disk)), io).await;
        let booted = booted.map_err(|error| match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })?;
        let meta = booted.meta().clone();
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(booted);
        tokio::spawn(workload::metadata(self.spec.node, meta.clone(), mix64(seed ^ 2), self.oracle));
        let ending = tokio::select! {
            biased;
            ending = ended(&self.slot) => ending,
            never = self.orders.carry_out(&meta) => match never {},
        };
        match ending {
            Ending::Left => Ok(()),
            Ending::Failed(reason) => Err(reason),
        }
    }
}

/// Waits until the node does not go on by itself, without keeping it from those who look at it.
async fn ended(slot: &Slot) -> Ending {
    poll_fn(|cx| {
        let mut node = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let node = node.as_mut().expect("the process put it there and ends before it is taken away");
        // What has ended is remembered by the node, not by this call.
        pin!(node.ended()).poll(cx)
    })
    .await
}

/// Whether the disk already holds an identity.
fn knows_itself(disk: &MemoryDisk) -> bool {
    matches!(disk.get_file(predis_node::IDENTITY_FILE), Ok(Some(_)))
}

fn config(spec: &HostSpec, limits: StreamConfig, first: bool) -> NodeConfig {
    let start = match spec.join.as_slice() {
        _ if !first => Start::Resume,
        [] => Start::Bootstrap(Founding {
            partitions: PartitionCount::new(spec.partitions).expect("scenarios name a power of two"),
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
        profile: Profile { stream: limits, ..Profile::lan() },
    }
}
