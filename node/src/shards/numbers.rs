//! What the node's shards amount to: for INFO, the metrics, and those who check from the outside.
//!
//! Partitions are asked one after another, so the sums are of no single moment. Needs no lease.

use super::{EffectCounts, Shards, lifecycle::add_counters};
use predis_replica::{Access, access};
use predis_shard::{Counters, Stats};
use predis_types::{Epoch, PartitionId, TenantId};
use std::sync::PoisonError;

impl Shards {
    /// The partitions that a request would be served in right now, with the epoch, ascending: owned, with a shard
    /// of that epoch, a valid lease, and no hand-over in the way.
    pub fn serving(&self) -> Vec<(PartitionId, Epoch)> {
        let serves = |partition: &super::Partition| {
            let guarded = partition.lock();
            match access(&self.look(&guarded), &guarded.owner) {
                Access::Serve { epoch } => Some((partition.id, epoch)),
                _ => None,
            }
        };
        self.partitions.iter().filter_map(serves).collect()
    }

    /// A tenant's counts and sums over all partitions that this node is the primary of; events since it booted or since
    /// [`Shards::reset_counters`], those in shards that are gone included.
    pub fn stats(&self, tenant: TenantId) -> Stats {
        let mut sum = Stats::default();
        let mut expire_at_ms = 0u128;
        for partition in &self.partitions {
            let guarded = partition.lock();
            let Some(copy) = guarded.copy.as_ref().filter(|copy| copy.leading().is_some()) else { continue };
            let stats = copy.shard.stats(tenant);
            drop(guarded);
            sum.keys += stats.keys;
            sum.expiring += stats.expiring;
            sum.cost += stats.cost;
            expire_at_ms += u128::from(stats.mean_expire_at_ms.unwrap_or(0)) * u128::from(stats.expiring);
            add_counters(&mut sum.counters, &stats.counters);
        }
        let mean = expire_at_ms.checked_div(u128::from(sum.expiring));
        sum.mean_expire_at_ms = mean.and_then(|mean| u64::try_from(mean).ok());
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        add_counters(&mut sum.counters, &retired.get(&tenant).copied().unwrap_or_default());
        sum
    }

    /// Sets a tenant's counters to zero on this node (CONFIG RESETSTAT).
    pub fn reset_counters(&self, tenant: TenantId) {
        for partition in &self.partitions {
            if let Some(copy) = &mut partition.lock().copy {
                copy.shard.reset_counters(tenant);
            }
        }
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.insert(tenant, Counters::default());
    }

    /// The effects of all shards since the node booted.
    pub fn effect_counts(&self) -> &EffectCounts {
        &self.effect_counts
    }
}
