//! Making room: a tenant over its budget loses the best victims among all its partitions' tails.
//!
//! One partition is locked at a time, and none while it asks the pool. Does not know how a policy chooses.

use super::Shards;
use predis_policy::Pool;
use predis_shard::Effects;
use predis_types::TenantId;
use std::sync::{Arc, atomic::Ordering::Relaxed};

/// How many candidates one call looks at, at the least.
const STEPS: usize = 16_384;

/// One candidate more for so many bytes that the caller wrote: less than the smallest entry costs.
const BYTES_PER_STEP: usize = 64;

impl Shards {
    /// Evicts until the tenant keeps its budget. The work is bounded by a constant and by what was written, which
    /// suffices for a tenant that kept its budget before; what a shrunken budget leaves over, the next calls do.
    pub(super) fn make_room(&self, tenant: TenantId, written_bytes: usize) {
        for _ in 0..STEPS + written_bytes / BYTES_PER_STEP {
            let tenants = self.tenants.load();
            let Some(pool) = tenants.pool(tenant) else { return };
            if !pool.over() {
                return;
            }
            let Some((index, class)) = pool.victim() else { return };
            if !self.judge(tenant, pool, index, class) {
                return;
            }
        }
    }

    /// Makes room for every tenant, after budgets shrank.
    pub(super) fn trim(&self) {
        let mut beyond = false;
        for tenant in self.tenants() {
            self.make_room(tenant, 0);
            beyond |= self.tenants.load().pool(tenant).is_some_and(|pool| pool.over());
        }
        self.beyond.store(beyond, Relaxed);
    }

    /// Goes on where the last trim stopped. Otherwise whoever is beyond a budget is in the middle of a write and makes
    /// its own room: two who do that at once may evict one key too many.
    pub(super) fn trim_on(&self) {
        if self.beyond.load(Relaxed) {
            self.trim();
        }
    }

    /// Lets a partition judge its next candidate; false when it cannot now. A tail that is not backed by a keyspace on
    /// this pool any more is taken out of the pool's table.
    fn judge(&self, tenant: TenantId, pool: &Arc<Pool>, index: usize, class: usize) -> bool {
        let Some(partition) = self.partitions.get(index) else { return false };
        let mut guarded = partition.lock();
        let (now, rng) = (self.now(), guarded.random());
        let backed = |known: &Arc<Pool>| Arc::ptr_eq(known, pool);
        let stopped = guarded.hand_over.is_some();
        match &mut guarded.copy {
            Some(copy) if copy.leading().is_some() && copy.pools.get(&tenant).is_some_and(backed) => {
                if stopped {
                    // What is being given away stays as it is.
                    return false;
                }
                let mut effects = Effects::new();
                let (shard, cx) = copy.on(tenant, pool, now, rng);
                shard.evict(&cx, class, &mut effects);
                self.deliver(partition.id, copy, tenant, now.mono_us, &effects);
            }
            _ => pool.publish(index, &*pool.kind().build()),
        }
        true
    }
}
