//! How shards come and go: with the applied state, and tenant by tenant.
//!
//! A shard that goes is taken out of its partition under the lock and emptied after it: its memory may take a
//! while to free, and the tenants' pools have to learn that it is gone before another shard publishes its tails
//! in the same place.

use super::{
    Shards,
    partition::{Guarded, Partition, Served},
};
use predis_replica::{Ownership, ShardStep, shard_step};
use predis_shard::{Context, Counters, Discarded, Shard};
use predis_types::{Epoch, PartitionId, TenantId, probe::Event};
use std::sync::PoisonError;

impl Shards {
    /// Takes note of who owns what by an applied state, never an older one than before: makes the shards that are
    /// this node's now, and drops those that are not or that belong to another epoch. Partitions that are not
    /// named stay as they are.
    pub fn update(&self, owners: impl Iterator<Item = (PartitionId, Ownership)>) {
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, owner) in owners {
            if let Some(partition) = self.partition(id) {
                self.update_one(partition, owner);
            }
        }
    }

    fn update_one(&self, partition: &Partition, owner: Ownership) {
        let mut guarded = partition.lock();
        let effects = guarded.hand_over.as_mut().map_or_else(Vec::new, |moving| moving.observed(owner.epoch));
        guarded.owner = owner;
        partition.settle(&mut guarded);
        let (gone, create) = match shard_step(&self.look(&guarded), &owner) {
            ShardStep::Keep => (None, None),
            ShardStep::Create { epoch } => (None, Some(epoch)),
            ShardStep::Replace { epoch } => (guarded.served.take(), Some(epoch)),
            ShardStep::Discard => (guarded.served.take(), None),
        };
        let garbage = match gone {
            None => Vec::new(),
            Some(served) => {
                if let Some(sink) = &self.sink {
                    sink.gone(partition.id);
                }
                drop(guarded);
                let garbage = self.retire(served);
                guarded = partition.lock();
                garbage
            }
        };
        if let Some(epoch) = create {
            self.start(partition, &mut guarded, epoch);
        }
        drop(guarded);
        // What a hand-over says after it observed a state is never an ask.
        partition.carry_out(effects);
        drop(garbage);
    }

    fn start(&self, partition: &Partition, guarded: &mut Guarded, epoch: Epoch) {
        guarded.served = Some(Served::new(epoch, Shard::new(partition.id, self.hash_key)));
        self.probe.event(Event::Started { partition: partition.id, epoch });
    }

    /// Takes a shard's entries off the pools and keeps what it counted.
    fn retire(&self, mut served: Served) -> Vec<Discarded> {
        let tenants: Vec<TenantId> = served.pools.keys().copied().collect();
        tenants.into_iter().filter_map(|tenant| self.retire_keyspace(&mut served, tenant)).collect()
    }

    /// Takes a tenant out of a shard.
    fn retire_keyspace(&self, served: &mut Served, tenant: TenantId) -> Option<Discarded> {
        let pool = served.pools.remove(&tenant)?;
        let now = self.now();
        let cx = Context { tenant, now_ms: now.now_ms, tick: now.mono_us, rng: 0, pool: &pool };
        let counters = served.shard.stats(tenant).counters;
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        add_counters(retired.entry(tenant).or_default(), &counters);
        drop(retired);
        Some(served.shard.drop_tenant(&cx))
    }

    /// Puts what a tenant has in every shard under its current pool.
    pub(super) fn take_up_pool(&self, tenant: TenantId) {
        for partition in &self.partitions {
            let mut guarded = partition.lock();
            let (now, rng) = (self.now(), guarded.random());
            let tenants = self.tenants.load();
            if let (Some(served), Some(pool)) = (&mut guarded.served, tenants.pool(tenant))
                && served.pools.contains_key(&tenant)
            {
                served.on(tenant, pool, now, rng);
            }
        }
    }

    /// Takes a tenant that is no longer configured out of every shard.
    pub(super) fn drop_keyspaces(&self, tenant: TenantId) {
        for partition in &self.partitions {
            let mut guarded = partition.lock();
            let garbage = guarded.served.as_mut().and_then(|served| self.retire_keyspace(served, tenant));
            drop(guarded);
            drop(garbage);
        }
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }
}

/// Adds events to events.
pub(super) fn add_counters(sum: &mut Counters, more: &Counters) {
    sum.hits += more.hits;
    sum.misses += more.misses;
    sum.expired += more.expired;
    sum.evicted += more.evicted;
}
