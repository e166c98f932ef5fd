//! One partition's data: a keyspace per tenant, and everything the node may ask of it.
//!
//! Everything that changes data takes a [`Context`] and records effects; the caller holds a lock for as long as a
//! call takes. Does not know what a command does, nor which partitions there are beside its own.

use std::collections::BTreeMap;

use bytes::Bytes;
use predis_policy::{Eviction, Pool};
use predis_resp::{CommandId, CommandSpec, Flag, Reply};
use predis_types::{PartitionId, Slot, TenantId};

use crate::access::Access;
use crate::commands::scan::ScanOptions;
use crate::context::Context;
use crate::cost::Cost;
use crate::effect::{DeleteReason, Effect, Effects};
use crate::execute;
use crate::hashing::{HashPosition, KeyHasher};
use crate::keyspace::{Discarded, Keyspace};
use crate::stats::{Counters, Stats};
use crate::value::Value;
use crate::walk::{self, ScanPage};

/// What came of asking for a victim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evicted {
    /// This key went, and the cost it had.
    Key {
        /// The key.
        key: Bytes,
        /// Its cost, in the unit of the shard's [`Cost`].
        cost: u64,
    },
    /// The policy kept its candidate: choose again.
    Again,
    /// There is nothing of this class here: choose again.
    Empty,
}

/// A key as an iteration hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageEntry {
    /// The key.
    pub key: Bytes,
    /// Its value; shares its bytes with the shard.
    pub value: Value,
    /// When it expires, in milliseconds since the Unix epoch; `None`: never. May have passed.
    pub expire_at_ms: Option<u64>,
}

/// Entries in hash order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In hash order.
    pub entries: Vec<PageEntry>,
    /// Where to go on; `None`: the partition is done.
    pub next: Option<HashPosition>,
}

/// The data of one partition.
pub struct Shard {
    partition: PartitionId,
    hasher: KeyHasher,
    cost: Cost,
    shares_values: bool,
    /// The highest wall time seen, in milliseconds.
    time_ms: u64,
    tenants: BTreeMap<TenantId, Keyspace>,
}

impl Shard {
    /// An empty shard. `hash_key` is the cluster's: all replicas of a partition must have the same.
    pub fn new(partition: PartitionId, hash_key: [u64; 2]) -> Self {
        Shard {
            partition,
            hasher: KeyHasher::new(hash_key),
            cost: Cost::Memory,
            shares_values: false,
            time_ms: 0,
            tenants: BTreeMap::new(),
        }
    }

    /// Counts costs by another model than memory. To be called while the shard is empty.
    #[must_use]
    pub fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Keeps values as they are handed in instead of copying them. For a caller whose values are slices of something
    /// that lives on anyway, as a replay's are; a slice of a network buffer would keep the whole buffer.
    #[must_use]
    pub fn with_shared_values(mut self) -> Self {
        self.shares_values = true;
        self
    }

    /// Which partition this is.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// The partition's time in milliseconds since the Unix epoch: the highest it was ever told.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// Where a key stands in hash order.
    pub fn position(&self, key: &[u8]) -> HashPosition {
        HashPosition::of_hash(self.hasher.hash(key))
    }

    /// Whether a command is one that [`Shard::execute`] carries out; all others concern the node or many partitions.
    pub fn executes(command: CommandId) -> bool {
        execute::handler(command).is_some()
    }

    /// Runs `work` on the tenant's keyspace, which is made on first use, at the partition's time; then publishes the
    /// policy's tails.
    fn with<R>(
        &mut self,
        cx: &Context<'_>,
        effects: &mut Effects,
        work: impl FnOnce(&mut Access<'_>) -> R,
    ) -> R {
        self.time_ms = self.time_ms.max(cx.now_ms);
        self.at(cx, self.time_ms, (effects, false), work)
    }

    /// Runs `work` at a time; `frozen` when it must leave the data as it is.
    fn at<R>(
        &mut self,
        cx: &Context<'_>,
        now_ms: u64,
        (effects, frozen): (&mut Effects, bool),
        work: impl FnOnce(&mut Access<'_>) -> R,
    ) -> R {
        let cx = Context { now_ms, ..*cx };
        let (hasher, cost) = (self.hasher, self.cost);
        let keyspace =
            self.tenants.entry(cx.tenant).or_insert_with(|| Keyspace::new(hasher, cost, cx.pool.kind()));
        let mut access = Access { cx, keyspace, effects, shares_values: self.shares_values, frozen };
        let result = work(&mut access);
        access.keyspace.publish(&cx, usize::from(self.partition.0));
        result
    }

    /// Runs one command of those that [`Shard::executes`]. Its effects are carried out and added to `effects`;
    /// together they are one atomic step. `args` begin with the name; whoever looked the command up need not have
    /// checked its arity.
    pub fn execute(
        &mut self,
        cx: &Context<'_>,
        command: &'static CommandSpec,
        args: &[Bytes],
        effects: &mut Effects,
    ) -> Reply {
        self.with(cx, effects, |access| execute::run(access, command, args).unwrap_or_else(Reply::from))
    }

    /// Runs a command that only reads, on a replica's data, which stays as it is: a key whose time has come is not
    /// found, and remains until the primary expires it. `None` for a command that may write.
    pub fn read(&mut self, cx: &Context<'_>, command: &'static CommandSpec, args: &[Bytes]) -> Option<Reply> {
        // The partition's time is its primary's: it stays, too.
        let now_ms = self.time_ms.max(cx.now_ms);
        let mut effects = Effects::new();
        command.flags.contains(Flag::Readonly).then(|| {
            self.at(cx, now_ms, (&mut effects, true), |access| {
                execute::run(access, command, args).unwrap_or_else(Reply::from)
            })
        })
    }

    /// Carries out an effect as a replica does. `cx.now_ms` is the time at which the primary had it.
    pub fn apply(&mut self, cx: &Context<'_>, effect: &Effect) {
        let copied = match effect {
            // The value is a slice of the stream it came in.
            Effect::Set { key, value, expire_at_ms } if !self.shares_values => {
                Some(Effect::Set { key: key.clone(), value: value.detached(), expire_at_ms: *expire_at_ms })
            }
            _ => None,
        };
        let effect = copied.as_ref().unwrap_or(effect);
        self.with(cx, &mut Effects::new(), |access| access.keyspace.apply(&access.cx, effect));
    }

    /// Lets the tenant's policy judge its next candidate of a class, one of [`predis_policy::CLASSES`]. The node asks
    /// the partition and class that [`Pool::victim`] names, for as long as the pool is over its budget.
    pub fn evict(&mut self, cx: &Context<'_>, class: usize, effects: &mut Effects) -> Evicted {
        let cost = self.cost;
        self.with(cx, effects, |access| match access.keyspace.evict(&access.cx, class) {
            (_, Some(entry)) => {
                let cost = cost.of_entry(&entry);
                let key = Bytes::from(entry.key);
                access.effects.push(Effect::Delete { key: key.clone(), reason: DeleteReason::Evicted });
                Evicted::Key { key, cost }
            }
            (Eviction::Again, None) => Evicted::Again,
            (Eviction::Empty | Eviction::Victim(_), None) => Evicted::Empty,
        })
    }

    /// Removes up to `limit` of the tenant's keys whose time has come, earliest first; how many it removed.
    pub fn expire(&mut self, cx: &Context<'_>, limit: usize, effects: &mut Effects) -> usize {
        self.with(cx, effects, |access| {
            let mut removed = 0;
            while removed < limit
                && let Some((_, handle)) = access.keyspace.first_expiry()
                && !access.alive(handle)
            {
                removed += 1;
            }
            removed
        })
    }

    /// When the tenant's next key expires, in milliseconds since the Unix epoch. It is due once that time is past.
    pub fn next_expiry_ms(&self, tenant: TenantId) -> Option<u64> {
        self.tenants.get(&tenant)?.first_expiry().map(|(at, _)| at)
    }

    /// At least `limit` of the tenant's entries (fewer at the end) in hash order from a position on; more only when
    /// several share a position. Every key that is there throughout a walk is returned exactly once, whatever else
    /// comes and goes. Expired keys that nobody has met yet are included.
    pub fn iterate(&self, tenant: TenantId, from: HashPosition, limit: usize) -> Page {
        let Some(keyspace) = self.tenants.get(&tenant) else {
            return Page { entries: Vec::new(), next: None };
        };
        let page = keyspace.page(from, limit);
        let entries = page.handles.into_iter().map(|handle| {
            let entry = keyspace.entry(handle);
            PageEntry {
                key: Bytes::copy_from_slice(&entry.key),
                value: entry.value.clone(),
                expire_at_ms: entry.expire_at_ms(),
            }
        });
        Page { entries: entries.collect(), next: page.next }
    }

    /// DBSIZE of one partition: its keys, expired ones that nobody has met yet included.
    pub fn len(&self, tenant: TenantId) -> usize {
        self.tenants.get(&tenant).map_or(0, Keyspace::len)
    }

    /// Whether the tenant has no key here.
    pub fn is_empty(&self, tenant: TenantId) -> bool {
        self.len(tenant) == 0
    }

    /// The tenants that were ever used here and not dropped, ascending.
    pub fn tenants(&self) -> impl Iterator<Item = TenantId> + '_ {
        self.tenants.keys().copied()
    }

    /// Counts and sums of a tenant.
    pub fn stats(&self, tenant: TenantId) -> Stats {
        self.tenants.get(&tenant).map(Keyspace::stats).unwrap_or_default()
    }

    /// Sets the tenant's counters to zero (CONFIG RESETSTAT).
    pub fn reset_counters(&mut self, tenant: TenantId) {
        if let Some(keyspace) = self.tenants.get_mut(&tenant) {
            keyspace.counters = Counters::default();
        }
    }

    /// FLUSHALL and FLUSHDB of one partition. The entries are handed out, so that freeing them need not be waited
    /// for under the lock.
    pub fn flush(&mut self, cx: &Context<'_>, effects: &mut Effects) -> Discarded {
        self.with(cx, effects, |access| {
            let discarded = access.keyspace.clear(&access.cx);
            if discarded.keys() > 0 {
                access.effects.push(Effect::Flush);
            }
            discarded
        })
    }

    /// Takes a tenant's keys out of this node: as a flush, but the partition lives on elsewhere, so there is no effect.
    pub fn drop_tenant(&mut self, cx: &Context<'_>) -> Discarded {
        let discarded = self.with(cx, &mut Effects::new(), |access| access.keyspace.clear(&access.cx));
        self.tenants.remove(&cx.tenant);
        discarded
    }

    /// One step of SCAN: looks at `options.count` keys from a position on.
    pub fn scan(
        &mut self,
        cx: &Context<'_>,
        from: HashPosition,
        options: &ScanOptions,
        effects: &mut Effects,
    ) -> ScanPage {
        self.with(cx, effects, |access| walk::scan(access, from, options))
    }

    /// KEYS of one partition, in hash order. Takes time in proportion to all its keys.
    pub fn keys(&mut self, cx: &Context<'_>, pattern: &[u8], effects: &mut Effects) -> Vec<Bytes> {
        self.with(cx, effects, |access| walk::keys(access, pattern))
    }

    /// RANDOMKEY of one partition, chosen by `cx.rng`; `None` when no key lives.
    pub fn random_key(&mut self, cx: &Context<'_>, effects: &mut Effects) -> Option<Bytes> {
        self.with(cx, effects, walk::random_key)
    }

    /// CLUSTER COUNTKEYSINSLOT. Takes time in proportion to all the partition's keys.
    pub fn count_keys_in_slot(&self, tenant: TenantId, slot: Slot) -> usize {
        self.tenants.get(&tenant).map_or(0, |keyspace| walk::count_keys_in_slot(keyspace, slot))
    }

    /// CLUSTER GETKEYSINSLOT: up to `limit` keys, in hash order. Takes time as [`Shard::count_keys_in_slot`].
    pub fn keys_in_slot(
        &mut self,
        cx: &Context<'_>,
        slot: Slot,
        limit: usize,
        effects: &mut Effects,
    ) -> Vec<Bytes> {
        self.with(cx, effects, |access| walk::keys_in_slot(access, slot, limit))
    }

    /// Puts the tenant under the policy and budget of `cx.pool`, rebuilding the policy's state in hash order, and
    /// takes its entries off `old_pool`. Recency and frequency start anew.
    pub fn set_policy(&mut self, cx: &Context<'_>, old_pool: &Pool) {
        self.with(cx, &mut Effects::new(), |access| access.keyspace.rebuild_policy(&access.cx, old_pool));
    }
}
