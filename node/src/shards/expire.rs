//! The housekeeping step: keys whose time has come go, though nobody asks for them; budgets that shrank are kept.
//!
//! Called now and then by a task of the node; does not know how often.

use super::{
    Shards,
    partition::{Partition, ShardCopy},
};
use predis_shard::Effects;
use predis_types::TenantId;

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    /// How many keys it removed.
    pub removed: usize,
    /// When the next key expires, in milliseconds since the Unix epoch; in the past when the limit was reached.
    /// `None`: none does.
    pub next_due_ms: Option<u64>,
}

impl Shards {
    /// Removes up to `limit_per_shard` expired keys of each tenant in each shard, earliest first, one partition
    /// locked at a time; then evicts what a budget that shrank has left over.
    pub fn expire(&self, limit_per_shard: usize) -> Expiry {
        let mut step = Expiry::default();
        for partition in &self.partitions {
            self.expire_in(partition, limit_per_shard, &mut step);
        }
        self.trim_on();
        step
    }

    fn expire_in(&self, partition: &Partition, limit: usize, step: &mut Expiry) {
        let mut guarded = partition.lock();
        let rng = guarded.random();
        let Some(copy) = guarded.own() else { return };
        let tenants = self.tenants.load();
        for (tenant, due_ms) in due(copy) {
            let now = self.now();
            let Some(pool) = tenants.pool(tenant) else { continue };
            if due_ms >= now.now_ms {
                step.note(due_ms);
                continue;
            }
            let mut effects = Effects::new();
            let (shard, cx) = copy.on(tenant, pool, now, rng);
            step.removed += shard.expire(&cx, limit, &mut effects);
            if let Some(next) = shard.next_expiry_ms(tenant) {
                step.note(next);
            }
            self.deliver(partition.id, copy, tenant, now.mono_us, &effects);
        }
    }
}

impl Expiry {
    fn note(&mut self, due_ms: u64) {
        self.next_due_ms = Some(self.next_due_ms.map_or(due_ms, |before| before.min(due_ms)));
    }
}

/// When each tenant's next key expires.
fn due(copy: &ShardCopy) -> Vec<(TenantId, u64)> {
    let shard = &copy.shard;
    shard.tenants().filter_map(|tenant| Some((tenant, shard.next_expiry_ms(tenant)?))).collect()
}
