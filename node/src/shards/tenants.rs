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
    pool: Arc<Pool>,
    /// Its own budget; `None`: it shares the node's.
    memory_bytes: Option<u64>,
}

/// The tenants at one moment.
#[derive(Clone, Default)]
pub(super) struct Table {
    node_bytes: Option<u64>,
    tenants: BTreeMap<TenantId, Tenant>,
}

impl Table {
    /// The tenant's pool; `None`: there is no such tenant here.
    pub(super) fn pool(&self, tenant: TenantId) -> Option<&Arc<Pool>> {
        self.tenants.get(&tenant).map(|tenant| &tenant.pool)
    }

    /// All tenants, ascending.
    pub(super) fn ids(&self) -> impl Iterator<Item = TenantId> + '_ {
        self.tenants.keys().copied()
    }

    /// What the node's shards may take.
    pub(super) fn node_bytes(&self) -> Option<u64> {
        self.node_bytes
    }

    /// A tenant without a budget of its own may use all of the node's.
    fn budget(&self, memory_bytes: Option<u64>) -> u64 {
        memory_bytes.or(self.node_bytes).unwrap_or(UNBOUNDED)
    }
}

/// What setting a tenant changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    Unchanged,
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
        let table = Table { node_bytes, tenants: BTreeMap::new() };
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
    pub(super) fn put(&self, id: TenantId, kind: PolicyKind, memory_bytes: Option<u64>) -> Put {
        let is_same = |tenant: &Tenant| tenant.pool.kind() == kind && tenant.memory_bytes == memory_bytes;
        if self.load().tenants.get(&id).is_some_and(is_same) {
            return Put::Unchanged;
        }
        let mut table = Table::clone(&self.load());
        let budget = table.budget(memory_bytes);
        let kept = table.pool(id).filter(|pool| pool.kind() == kind).cloned();
        let put = if kept.is_some() { Put::Budget } else { Put::Pool };
        let pool = kept.unwrap_or_else(|| Arc::new(Pool::new(kind, self.partitions, budget)));
        pool.set_budget(budget);
        table.tenants.insert(id, Tenant { pool, memory_bytes });
        self.table.store(Arc::new(table));
        put
    }

    /// Takes a tenant out; whether it was there.
    pub(super) fn remove(&self, id: TenantId) -> bool {
        let mut table = Table::clone(&self.load());
        let was_there = table.tenants.remove(&id).is_some();
        self.table.store(Arc::new(table));
        was_there
    }

    /// Changes what the node's shards may take, and with it the budgets of the tenants that share it.
    pub(super) fn set_node_bytes(&self, node_bytes: Option<u64>) {
        let mut table = Table::clone(&self.load());
        table.node_bytes = node_bytes;
        for tenant in table.tenants.values() {
            tenant.pool.set_budget(table.budget(tenant.memory_bytes));
        }
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
}

impl Budget {
    pub(super) fn of(pool: &Pool) -> Budget {
        Budget {
            policy: pool.kind(),
            limit_bytes: Some(pool.budget()).filter(|budget| *budget != UNBOUNDED),
            used_bytes: pool.used(),
        }
    }
}
