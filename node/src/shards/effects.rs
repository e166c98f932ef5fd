//! Where effects go after they were carried out: the counters, and whoever streams them.
//!
//! Called under the partition's lock, so a partition's effects arrive in the order in which they happened. Does
//! not know what is done with them.

use bytes::Bytes;
use predis_shard::{DeleteReason, Effect, Effects};
use predis_types::{Epoch, PartitionId, TenantId};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Receives the effects of every shard of a node.
pub trait Sink: Send + Sync + 'static {
    /// These happened, in this order, in one step, to the tenant's keys in the partition's shard of this epoch.
    /// Never empty. Must return at once: the partition is locked.
    fn effects(&self, partition: PartitionId, epoch: Epoch, tenant: TenantId, effects: &Effects);

    /// The tenant's key was read, or looked for, for a client that keeps copies. The partition is locked.
    fn read(&self, _partition: PartitionId, _tenant: TenantId, _key: &Bytes, _client: u64) {}

    /// The partition's keys are no more what they were: its shard is gone.
    fn gone(&self, _partition: PartitionId) {}
}

/// How many effects there were since the node booted, by kind.
#[derive(Debug, Default)]
pub struct EffectCounts {
    sets: AtomicU64,
    writes: AtomicU64,
    expires: AtomicU64,
    deleted: AtomicU64,
    expired: AtomicU64,
    evicted: AtomicU64,
    flushes: AtomicU64,
}

impl EffectCounts {
    /// Each kind's name and number, always in the same order.
    pub fn by_kind(&self) -> [(&'static str, u64); 7] {
        [
            ("set", &self.sets),
            ("write", &self.writes),
            ("expire", &self.expires),
            ("deleted", &self.deleted),
            ("expired", &self.expired),
            ("evicted", &self.evicted),
            ("flush", &self.flushes),
        ]
        .map(|(kind, count)| (kind, count.load(Relaxed)))
    }

    pub(super) fn add(&self, effects: &Effects) {
        for effect in effects.as_slice() {
            self.of(effect).fetch_add(1, Relaxed);
        }
    }

    fn of(&self, effect: &Effect) -> &AtomicU64 {
        match effect {
            Effect::Set { .. } => &self.sets,
            Effect::Write { .. } => &self.writes,
            Effect::Expire { .. } => &self.expires,
            Effect::Delete { reason: DeleteReason::Deleted, .. } => &self.deleted,
            Effect::Delete { reason: DeleteReason::Expired, .. } => &self.expired,
            Effect::Delete { reason: DeleteReason::Evicted, .. } => &self.evicted,
            Effect::Flush => &self.flushes,
        }
    }
}
