//! The node's shards: one lock a partition, reached only through [`Shards::submit`].
//!
//! ```text
//! submit(batch) --> lock the partition --> access()? --> Shard::execute ... --> effects --> may_reply()? --> answers
//!                        |                    | a hand-over holds it                             (no: CLUSTERDOWN)
//!                        |                    '--> Pending, until it lets go
//!                        '--> over budget? unlock, then evict where the pool says, one lock at a time
//! ```
//! Leases, ownership and hand-over are decided by `predis_replica`, victims by `predis_policy`, commands by
//! `predis_shard`; this is where they meet the clock and the locks. Knows no sockets, no metadata, no RESP bytes.

mod admission;
mod backup;
mod batch;
mod change;
mod completion;
mod effects;
mod evict;
mod execute;
mod expire;
mod hand_over;
mod lifecycle;
mod numbers;
mod pages;
mod partition;
mod put;
mod queue;
mod standby;
mod streams;
mod tap;
mod tenants;

#[cfg(test)]
mod tests;

pub use backup::{Cut, KeyCount, Piece, ReadError, Reading};
pub use batch::{Answer, Batch, Call, Work};
pub use change::{ChangeError, entry_size_bytes};
pub use completion::Completion;
pub use effects::{EffectCounts, Sink};
pub use expire::Expiry;
pub use hand_over::HandOverAction;
pub use queue::Queue;
pub use standby::Standby;
pub use streams::{Heard, Outgoing, Page, Progress, ReplicationCounts};
pub use tenants::Budget;

use crate::lease::Lease;
use execute::{Run, Step};
use partition::{Guarded, Moment, Partition};
use predis_policy::PolicyKind;
use predis_replica::{HandOverConfig, Life, Local, StreamConfig};
use predis_shard::Counters;
use predis_types::{Clock, PartitionCount, PartitionId, Rng, TenantId, mix64, probe::Probe};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tenants::{Put, Tenants};
use tokio::sync::{Notify, watch};

/// What the shards of a node are made with.
pub struct ShardsConfig {
    /// Who the node is, in this life.
    pub identity: Life,
    /// How many partitions the cluster has.
    pub partitions: PartitionCount,
    /// The cluster's secret words for hashing keys.
    pub hash_key: [u64; 2],
    /// What the shards may take together, in bytes; `None`: no bound.
    pub memory_bytes: Option<u64>,
    /// Watches.
    pub probe: Arc<dyn Probe>,
    /// How patient hand-overs are.
    pub hand_over: HandOverConfig,
    /// How patient streams are, and what they keep.
    pub stream: StreamConfig,
}

/// All shards of a node.
pub struct Shards {
    identity: Life,
    count: PartitionCount,
    hash_key: [u64; 2],
    probe: Arc<dyn Probe>,
    hand_over: HandOverConfig,
    stream: StreamConfig,
    clock: Arc<dyn Clock>,
    lease: Arc<Lease>,
    partitions: Box<[Partition]>,
    tenants: Tenants,
    effect_counts: EffectCounts,
    sink: Option<Box<dyn Sink>>,
    replication: ReplicationCounts,
    queues: Mutex<BTreeMap<Life, Arc<Queue>>>,
    /// Whose queues there are.
    replicas: watch::Sender<Vec<Life>>,
    /// The index of the state that is taken note of, or was last: nothing here is of a later one.
    begun_index: AtomicU64,
    /// The index of the state that was taken note of last.
    metadata_index: watch::Sender<u64>,
    /// Wakes whoever waits for replicas: one has answered.
    heard: Notify,
    /// Wakes whoever drives hand-overs: one has what it waited for.
    drained: Notify,
    /// With fewer copies in sync a write under quorum is refused.
    min_in_sync: AtomicUsize,
    /// How old a copy may be that reads are answered from, in microseconds.
    max_stale_us: AtomicU64,
    /// Whether the last [`Shards::trim`] left something beyond a budget.
    beyond: AtomicBool,
    /// One applied state at a time.
    updating: Mutex<()>,
    /// What the shards counted that are gone.
    retired: Mutex<BTreeMap<TenantId, Counters>>,
}

impl Shards {
    /// A node's partitions, none of them its own before [`Shards::update`], and no tenant before
    /// [`Shards::configure_tenant`].
    pub fn new(
        config: ShardsConfig,
        clock: Arc<dyn Clock>,
        lease: Arc<Lease>,
        mut rng: Box<dyn Rng>,
    ) -> Shards {
        let seed = rng.next_u64();
        let partition = |id: PartitionId| Partition::new(id, mix64(seed ^ u64::from(id.0)));
        let partitions: Box<[Partition]> = config.partitions.iter().map(partition).collect();
        Shards {
            identity: config.identity,
            count: config.partitions,
            hash_key: config.hash_key,
            probe: config.probe,
            hand_over: config.hand_over,
            stream: config.stream,
            clock,
            lease,
            tenants: Tenants::new(partitions.len(), config.memory_bytes),
            partitions,
            effect_counts: EffectCounts::default(),
            sink: None,
            replication: ReplicationCounts::default(),
            queues: Mutex::default(),
            replicas: watch::Sender::default(),
            begun_index: AtomicU64::new(0),
            metadata_index: watch::Sender::default(),
            heard: Notify::new(),
            drained: Notify::new(),
            min_in_sync: AtomicUsize::new(1),
            max_stale_us: AtomicU64::new(u64::MAX),
            beyond: AtomicBool::new(false),
            updating: Mutex::new(()),
            retired: Mutex::default(),
        }
    }

    /// Sends all effects to `sink` too, besides counting them.
    #[must_use]
    pub fn with_sink(mut self, sink: Box<dyn Sink>) -> Shards {
        self.sink = Some(sink);
        self
    }

    /// How many partitions the cluster has.
    pub fn partition_count(&self) -> PartitionCount {
        self.count
    }

    /// Carries out a batch, on the calling thread and at once unless a hand-over holds its partition: the only
    /// way to a shard. The completion has one answer per call of [`Work::Commands`] and one for any other work.
    ///
    /// A tenant that is not configured here, and a partition that the cluster does not have, get
    /// [`Answer::TryAgain`] and [`Answer::ClusterDown`].
    pub fn submit(self: &Arc<Self>, batch: Batch) -> Completion {
        let mut run = Run::new(batch);
        match self.advance(&mut run) {
            Step::Finished => Completion::Ready(run.into_answers()),
            Step::Uncommitted => {
                Completion::Committing(Box::pin(completion::when_committed(self.clone(), run)))
            }
            Step::Held => {
                let limit = Duration::from_micros(self.hand_over.hold_us);
                Completion::Pending(Box::pin(completion::when_released(self.clone(), run, limit)))
            }
        }
    }

    /// Adds a tenant, or changes its policy, its budget, or whether its replies wait for a quorum; `memory_bytes` of
    /// `None` shares what the node has left. Others' parts of that become larger or smaller with it. Keys stay, but
    /// under a new policy their recency starts anew, and those beyond a smaller budget are evicted: some now, the
    /// rest with the next writes and [`Shards::expire`]. Costs nothing when nothing changes.
    pub fn configure_tenant(
        &self,
        tenant: TenantId,
        policy: PolicyKind,
        memory_bytes: Option<u64>,
        quorum: bool,
    ) {
        let changing = self.tenants.change();
        match self.tenants.put(tenant, policy, memory_bytes, quorum) {
            Put::Unchanged => return,
            Put::Budget => {}
            Put::Pool => self.take_up_pool(tenant),
        }
        drop(changing);
        self.trim();
    }

    /// Takes a tenant and its keys out of this node.
    pub fn remove_tenant(&self, tenant: TenantId) {
        let _changing = self.tenants.change();
        if self.tenants.remove(tenant) {
            self.drop_keyspaces(tenant);
        }
    }

    /// Changes what the shards may take together, in bytes; keys are evicted as by [`Shards::configure_tenant`].
    pub fn set_memory_bytes(&self, memory_bytes: Option<u64>) {
        {
            let _changing = self.tenants.change();
            self.tenants.set_node_bytes(memory_bytes);
        }
        self.trim();
    }

    /// What the shards may take together, in bytes; `None`: no bound.
    pub fn memory_bytes(&self) -> Option<u64> {
        self.tenants.load().node_bytes()
    }

    /// The tenants configured here, ascending.
    pub fn tenants(&self) -> Vec<TenantId> {
        self.tenants.load().ids().collect()
    }

    /// A tenant's policy and budget; `None` when it is not configured here.
    pub fn budget(&self, tenant: TenantId) -> Option<Budget> {
        let table = self.tenants.load();
        Some(Budget::of(table.pool(tenant)?, table.replicas(tenant)?))
    }

    /// Has writes under quorum refused with fewer copies in sync than this.
    pub fn set_min_in_sync(&self, copies: usize) {
        self.min_in_sync.store(copies, Relaxed);
    }

    /// Takes note of what this node holds by now: who is told of it, and how the tenants' budgets are shared out between
    /// what it is the primary of and what it keeps for others.
    fn settle(&self) {
        let (mut led, mut held) = (0, 0);
        let mut told = BTreeSet::new();
        for partition in &self.partitions {
            let guarded = partition.lock();
            held += u32::from(guarded.copy.is_some());
            if let Some(leading) = guarded.leading() {
                led += 1;
                told.extend(leading.queues.iter().map(|queue| queue.to));
            }
        }
        self.settle_queues(&told);
        let changed = {
            let _changing = self.tenants.change();
            self.tenants.set_copies(led, held)
        };
        if changed {
            self.trim();
        }
    }

    fn partition(&self, id: PartitionId) -> Option<&Partition> {
        self.partitions.get(usize::from(id.0))
    }

    fn now(&self) -> Moment {
        Moment { now_ms: self.clock.wall_ms(), mono_us: self.clock.mono_us() }
    }

    /// What this node knows of itself at this very moment, the lease read anew.
    fn look(&self, guarded: &Guarded) -> Local {
        // Only a hand-over asks for the time.
        let now_us = if guarded.hand_over.is_some() { self.clock.mono_us() } else { 0 };
        guarded.local(self.identity, self.lease.is_valid(), now_us)
    }
}
