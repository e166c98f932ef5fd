//! How copies come and go, and what they become: with the applied state, and tenant by tenant.
//!
//! A copy that goes is taken out of its partition under the lock and emptied after it: its memory may take a
//! while to free, and the tenants' pools have to learn that it is gone before another shard publishes its tails
//! in the same place.

use super::{
    Shards,
    partition::{Following, Guarded, Leading, Partition, ShardCopy, Stream},
};
use predis_replica::{CopyStep, Follow, Freshness, Lead, Members, Ownership, copy_step};
use predis_shard::{Context, Counters, Discarded, Shard};
use predis_types::{Epoch, PartitionId, TenantId, probe::Event};
use std::sync::{
    PoisonError,
    atomic::Ordering::{AcqRel, Acquire, Relaxed},
};
use tokio::sync::watch;

impl Shards {
    /// From now on tenants and partitions may be those of the state at this index, never an older one than before.
    pub fn begin_update(&self, index: u64) {
        self.begun_index.fetch_max(index, AcqRel);
    }

    /// The index of the state that is taken note of, or was last. Whoever is told what this node does has to know as
    /// much: by what it knew before it may have lost a seat, or lack a tenant.
    pub fn begun_index(&self) -> u64 {
        self.begun_index.load(Acquire)
    }

    /// Takes note of who holds what by the state applied at this index: makes the copies that should be here now,
    /// carries those on that are good still, and drops the others. Partitions that are not named stay as they are.
    pub fn update(&self, index: u64, owners: impl Iterator<Item = (PartitionId, Ownership, Members)>) {
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        self.begin_update(index);
        for (id, owner, members) in owners {
            if let Some(partition) = self.partition(id) {
                self.update_one(partition, owner, members);
            }
        }
        self.settle();
        self.metadata_index.send_replace(index);
    }

    /// The index of the state that was taken note of last, with every change of it.
    pub fn watch_metadata_index(&self) -> watch::Receiver<u64> {
        self.metadata_index.subscribe()
    }

    fn update_one(&self, partition: &Partition, owner: Ownership, members: Members) {
        let mut guarded = partition.lock();
        let step = copy_step(self.identity, guarded.held().as_ref(), &owner, &members);
        let effects = guarded.hand_over.as_mut().map_or_else(Vec::new, |moving| moving.observed(owner.epoch));
        guarded.owner = owner;
        partition.settle(&mut guarded);
        // Whether it is emptied, and whether it is the primary's no more, or as one that has nothing of before.
        let (empty, ends) = match step {
            CopyStep::None | CopyStep::Keep => (false, false),
            CopyStep::Discard => (true, true),
            CopyStep::Lead { empty } => (empty, empty),
            CopyStep::Follow { empty } => (empty, true),
        };
        if ends
            && guarded.leading().is_some()
            && let Some(sink) = &self.sink
        {
            sink.gone(partition.id);
        }
        let mut garbage = Vec::new();
        if empty && let Some(mut copy) = guarded.copy.take() {
            drop(guarded);
            garbage = self.retire(&mut copy);
            guarded = partition.lock();
        }
        match step {
            CopyStep::None | CopyStep::Discard => {}
            CopyStep::Keep => self.keep(partition.id, &mut guarded, members),
            CopyStep::Lead { empty: true } => self.start(partition.id, &mut guarded, owner.epoch, members),
            CopyStep::Follow { empty: true } => {
                let follow = Follow::new(owner.epoch, self.stream);
                let fresh = Freshness::default();
                let following = Following { follow, fresh, cursor: None, lost: members.lost };
                guarded.copy =
                    Some(ShardCopy::new(self.empty_shard(partition.id), Stream::Follow(following)));
            }
            CopyStep::Lead { empty: false } => self.lead_on(partition.id, &mut guarded, owner.epoch, members),
            CopyStep::Follow { empty: false } => self.follow_on(&mut guarded, owner.epoch, &members),
        }
        drop(guarded);
        // Whoever waits for a commitment finds out that it will not come in this epoch.
        partition.committed.notify_waiters();
        // What a hand-over says after it observed a state is never an ask.
        partition.carry_out(effects);
        drop(garbage);
    }

    fn empty_shard(&self, partition: PartitionId) -> Shard {
        Shard::new(partition, self.hash_key)
    }

    /// The epoch goes on.
    fn keep(&self, id: PartitionId, guarded: &mut Guarded, members: Members) {
        if let Some(leading) = guarded.copy.as_mut().and_then(ShardCopy::leading_mut)
            && *leading.lead.members() != members
        {
            leading.lead.observed(members, self.clock.mono_us());
            self.tell_all(id, leading);
        }
    }

    /// The partition begins empty, here.
    fn start(&self, id: PartitionId, guarded: &mut Guarded, epoch: Epoch, members: Members) {
        let lead = Lead::new(self.identity, epoch, members, self.clock.mono_us(), self.stream);
        let mut leading = Leading::new(lead);
        self.tell_all(id, &mut leading);
        guarded.copy = Some(ShardCopy::new(self.empty_shard(id), Stream::Lead(leading)));
        self.probe.event(Event::Started { partition: id, epoch });
    }

    /// The copy becomes the primary's in this epoch, or goes on as such.
    fn lead_on(&self, id: PartitionId, guarded: &mut Guarded, epoch: Epoch, members: Members) {
        let Some(ShardCopy { shard, pools, stream }) = guarded.copy.take() else { return };
        let now_us = self.clock.mono_us();
        let (lead, behind) = match stream {
            Stream::Lead(leading) => (leading.lead.again(epoch, members, now_us), Vec::new()),
            Stream::Follow(following) => {
                let (lead, behind, lost) = following.follow.promote(self.identity, epoch, members, now_us);
                if lost > 0 {
                    tracing::warn!(
                        partition = id.0,
                        lost,
                        "changes were lost with the last primary, at least"
                    );
                    self.replication.lost.fetch_add(lost, Relaxed);
                }
                self.replication.promotions.fetch_add(1, Relaxed);
                (lead, behind)
            }
        };
        let mut leading = Leading::new(lead);
        self.tell_all(id, &mut leading);
        let mut copy = ShardCopy { shard, pools, stream: Stream::Lead(leading) };
        for bytes in behind {
            if let Err(error) = self.apply(&mut copy, bytes, None, guarded.random()) {
                tracing::error!(partition = id.0, %error, "a change that was received cannot be applied");
            }
        }
        self.take_up_pools(&mut copy, guarded.random());
        guarded.copy = Some(copy);
    }

    /// The copy becomes a replica's in this epoch, or goes on as such.
    fn follow_on(&self, guarded: &mut Guarded, epoch: Epoch, members: &Members) {
        let Some(ShardCopy { shard, pools, stream }) = guarded.copy.take() else { return };
        let (follow, fresh) = match stream {
            Stream::Lead(leading) => (leading.lead.retire(epoch), Freshness::default()),
            Stream::Follow(Following { follow, fresh, .. }) => {
                (follow.again(epoch, members.in_sync.contains(&self.identity)), fresh)
            }
        };
        let fresh = fresh.again(follow.applied());
        let following = Following { follow, fresh, cursor: None, lost: members.lost };
        let mut copy = ShardCopy { shard, pools, stream: Stream::Follow(following) };
        self.take_up_pools(&mut copy, guarded.random());
        guarded.copy = Some(copy);
    }

    /// Puts what every tenant has in a copy under the pool that is for what the copy is now used for.
    fn take_up_pools(&self, copy: &mut ShardCopy, rng: u64) {
        let (now, table) = (self.now(), self.tenants.load());
        let tenants: Vec<TenantId> = copy.pools.keys().copied().collect();
        for tenant in tenants {
            if let Some(pool) = copy.pool(&table, tenant) {
                copy.on(tenant, pool, now, rng);
            }
        }
    }

    /// Takes a shard's entries out of it and off the pools, and keeps what it counted.
    pub(super) fn retire(&self, copy: &mut ShardCopy) -> Vec<Discarded> {
        let tenants: Vec<TenantId> = copy.pools.keys().copied().collect();
        tenants.into_iter().filter_map(|tenant| self.retire_keyspace(copy, tenant)).collect()
    }

    /// Takes a tenant out of a shard.
    fn retire_keyspace(&self, copy: &mut ShardCopy, tenant: TenantId) -> Option<Discarded> {
        let pool = copy.pools.remove(&tenant)?;
        let now = self.now();
        let cx = Context { tenant, now_ms: now.now_ms, tick: now.mono_us, rng: 0, pool: &pool };
        let counters = copy.shard.stats(tenant).counters;
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        add_counters(retired.entry(tenant).or_default(), &counters);
        drop(retired);
        Some(copy.shard.drop_tenant(&cx))
    }

    /// Puts what a tenant has in every shard under its current pool.
    pub(super) fn take_up_pool(&self, tenant: TenantId) {
        for partition in &self.partitions {
            let mut guarded = partition.lock();
            let (now, rng) = (self.now(), guarded.random());
            let tenants = self.tenants.load();
            let Some(copy) = guarded.copy.as_mut().filter(|copy| copy.pools.contains_key(&tenant)) else {
                continue;
            };
            if let Some(pool) = copy.pool(&tenants, tenant) {
                copy.on(tenant, pool, now, rng);
            }
        }
    }

    /// Takes a tenant that is no longer configured out of every shard.
    pub(super) fn drop_keyspaces(&self, tenant: TenantId) {
        for partition in &self.partitions {
            let mut guarded = partition.lock();
            let garbage = guarded.copy.as_mut().and_then(|copy| self.retire_keyspace(copy, tenant));
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
