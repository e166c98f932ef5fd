//! Which tenants there are on this node, each with its budget and policy: a pool over all partitions.
//!
//! Read without a lock; changed by one caller at a time. Does not know partitions or keys.

use arc_swap::{ArcSwap, Guard};
use predis_policy::{PolicyKind, Pool};
use predis_types::TenantId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// No budget, as a pool writes it.
const UNBOUNDED: u64 = u64::MAX;

#[derive(Clone)]
struct Tenant {
    /// What it has where this node is the primary.
    pool: Arc<Pool>,
    /// What it has in copies for other primaries: only those evict from them.
    replicas: Arc<Pool>,
    /// Whether its replies wait until what they saw is committed.
    quorum: bool,
    /// What it was promised; `None`: it shares what the node has left.
    memory_bytes: Option<u64>,
}

/// The tenants at one moment.
#[derive(Clone, Default)]
pub(super) struct Table {
    node_bytes: Option<u64>,
    /// How many partitions this node is the primary of, and how many it has a copy of.
    led: u32,
    held: u32,
    tenants: BTreeMap<TenantId, Tenant>,
}

impl Table {
    /// The tenant's pool; `None`: there is no such tenant here.
    pub(super) fn pool(&self, tenant: TenantId) -> Option<&Arc<Pool>> {
        self.tenants.get(&tenant).map(|tenant| &tenant.pool)
    }

    /// The tenant's pool for copies of what other nodes are the primaries of.
    pub(super) fn replicas(&self, tenant: TenantId) -> Option<&Arc<Pool>> {
        self.tenants.get(&tenant).map(|tenant| &tenant.replicas)
    }

    /// Whether the tenant's replies wait until what they saw is committed.
    pub(super) fn is_quorum(&self, tenant: TenantId) -> bool {
        self.tenants.get(&tenant).is_some_and(|tenant| tenant.quorum)
    }

    /// All tenants, ascending.
    pub(super) fn ids(&self) -> impl Iterator<Item = TenantId> + '_ {
        self.tenants.keys().copied()
    }

    /// What the node's shards may take.
    pub(super) fn node_bytes(&self) -> Option<u64> {
        self.node_bytes
    }

    /// Gives every tenant its budget. The node's bound holds whatever tenants were promised: promises that exceed it
    /// together are cut in proportion, and tenants without one of their own have equal parts of what is left. Of a
    /// budget a primary uses what its partitions are of all copies here: the rest is for the others, whose own
    /// primaries keep to the same rule.
    fn share_out(&self) {
        let promised: u128 = self.tenants.values().filter_map(|t| t.memory_bytes).map(u128::from).sum();
        let sharing = self.tenants.values().filter(|tenant| tenant.memory_bytes.is_none()).count() as u64;
        for tenant in self.tenants.values() {
            let budget = match (self.node_bytes, tenant.memory_bytes) {
                (None, own) => own.unwrap_or(UNBOUNDED),
                (Some(node_bytes), None) => {
                    let left = u128::from(node_bytes).saturating_sub(promised);
                    u64::try_from(left).unwrap_or(node_bytes).checked_div(sharing).unwrap_or(0)
                }
                (Some(node_bytes), Some(bytes)) if promised <= u128::from(node_bytes) => bytes,
                (Some(node_bytes), Some(bytes)) => {
                    let cut = u128::from(bytes) * u128::from(node_bytes) / promised;
                    u64::try_from(cut).unwrap_or(bytes)
                }
            };
            tenant.pool.set_budget(self.part_of_primaries(budget));
        }
    }

    fn part_of_primaries(&self, budget: u64) -> u64 {
        if budget == UNBOUNDED || self.led == self.held {
            return budget;
        }
        let part = u128::from(budget) * u128::from(self.led) / u128::from(self.held.max(1));
        u64::try_from(part).unwrap_or(budget)
    }
}

/// What setting a tenant changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Unchanged,
    /// Budgets, its own and perhaps those of others.
    Budget,
    /// It has a new pool, which every partition has to take up.
    Pool,
}

/// All tenants.
pub(super) struct Tenants {
    partitions: usize,
    table: ArcSwap<Table>,
    changing: Mutex<()>,
}

impl Tenants {
    /// None yet.
    pub(super) fn new(partitions: usize, node_bytes: Option<u64>) -> Tenants {
        let table = Table { node_bytes, ..Table::default() };
        Tenants { partitions, table: ArcSwap::from_pointee(table), changing: Mutex::new(()) }
    }

    /// As they are now.
    pub(super) fn load(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// To be held by whoever changes them, until the change has reached the partitions.
    pub(super) fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a tenant or changes it.
    pub(super) fn put(&self, id: TenantId, kind: PolicyKind, memory_bytes: Option<u64>, quorum: bool) -> Put {
        let is_same = |tenant: &Tenant| {
            (tenant.pool.kind(), tenant.memory_bytes, tenant.quorum) == (kind, memory_bytes, quorum)
        };
        if self.load().tenants.get(&id).is_some_and(is_same) {
            return Put::Unchanged;
        }
        let mut table = Table::clone(&self.load());
        let kept = table.tenants.get(&id).filter(|tenant| tenant.pool.kind() == kind);
        let put = if kept.is_some() { Put::Budget } else { Put::Pool };
        let (pool, replicas) = match kept {
            Some(tenant) => (tenant.pool.clone(), tenant.replicas.clone()),
            // Nothing fits before the budgets are shared out, which is at once.
            None => {
                let pool = |budget| Arc::new(Pool::new(kind, self.partitions, budget));
                (pool(0), pool(UNBOUNDED))
            }
        };
        table.tenants.insert(id, Tenant { pool, replicas, quorum, memory_bytes });
        table.share_out();
        self.table.store(Arc::new(table));
        put
    }

    /// Takes a tenant out; whether it was there.
    pub(super) fn remove(&self, id: TenantId) -> bool {
        let mut table = Table::clone(&self.load());
        let was_there = table.tenants.remove(&id).is_some();
        table.share_out();
        self.table.store(Arc::new(table));
        was_there
    }

    /// Takes note of how many partitions this node is the primary of, of those that it has a copy of; whether that
    /// is new.
    pub(super) fn set_copies(&self, led: u32, held: u32) -> bool {
        let mut table = Table::clone(&self.load());
        let changed = (table.led, table.held) != (led, held);
        if changed {
            (table.led, table.held) = (led, held);
            table.share_out();
            self.table.store(Arc::new(table));
        }
        changed
    }

    /// Changes what the node's shards may take, and with it the tenants' budgets.
    pub(super) fn set_node_bytes(&self, node_bytes: Option<u64>) {
        let mut table = Table::clone(&self.load());
        table.node_bytes = node_bytes;
        table.share_out();
        self.table.store(Arc::new(table));
    }
}

/// A tenant's budget and what it uses of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How victims are chosen.
    pub policy: PolicyKind,
    /// The most its keys may take on this node, in bytes; `None`: no bound.
    pub limit_bytes: Option<u64>,
    /// What they take now, in bytes.
    pub used_bytes: u64,
    /// What copies for other primaries take, in bytes; not within the limit, which is smaller for it.
    pub replica_bytes: u64,
}

impl Budget {
    pub(super) fn of(pool: &Pool, replicas: &Pool) -> Budget {
        Budget {
            policy: pool.kind(),
            limit_bytes: Some(pool.budget()).filter(|budget| *budget != UNBOUNDED),
            used_bytes: pool.used(),
            replica_bytes: replicas.used(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets(tenants: &Tenants) -> Vec<u64> {
        tenants.load().tenants.values().map(|tenant| tenant.pool.budget()).collect()
    }

    #[test]
    fn a_node_shares_out_what_it_has_and_no_more() {
        let tenants = Tenants::new(4, Some(1_000));
        let put = |id: u32, bytes| tenants.put(TenantId(id), PolicyKind::Lru, bytes, false);
        put(0, None);
        assert_eq!(budgets(&tenants), [1_000]);
        put(1, None);
        put(2, Some(400));
        assert_eq!(budgets(&tenants), [300, 300, 400]);
        // More is promised than there is: the promises are cut, and nothing is left to share.
        put(3, Some(1_600));
        assert_eq!(budgets(&tenants), [0, 0, 200, 800]);
        tenants.remove(TenantId(3));
        tenants.set_node_bytes(Some(2_000));
        assert_eq!(budgets(&tenants), [800, 800, 400]);
        // Of four copies here three are for other primaries.
        assert!(tenants.set_copies(1, 4) && !tenants.set_copies(1, 4));
        assert_eq!(budgets(&tenants), [200, 200, 100]);
        tenants.set_copies(4, 4);
        tenants.set_node_bytes(None);
        assert_eq!(budgets(&tenants), [UNBOUNDED, UNBOUNDED, 400]);
    }
}
