//! What all partitions of one tenant on one node share: the budget, what is used of it, and the stamps of the
//! queues' tails, from which the next victim is chosen.
//!
//! Everything but the ghost window is an atomic read and written with relaxed ordering: a decision made on a
//! value that is a moment old is a slightly worse decision, never a wrong state, because each entry is judged
//! again under its shard's lock. Does not know entries, keys or what a policy's classes mean.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::kind::PolicyKind;
use crate::policy::{CLASSES, Policy};
use crate::window::GhostWindow;

/// In the table of tails: nothing to evict here.
const EMPTY: u64 = u64::MAX;

/// How much of a budget is used, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The most the entries may cost together; `u64::MAX` is no limit.
    pub budget: u64,
    /// The summed cost of the entries of each class.
    pub used: [u64; CLASSES],
    /// The number of entries of each class.
    pub items: [u64; CLASSES],
}

impl Usage {
    /// The summed cost of all entries.
    pub fn total(&self) -> u64 {
        self.used.iter().fold(0, |sum, used| sum.saturating_add(*used))
    }
}

/// The shared side of a tenant's policies on a node. A tenant that changes policy gets a new pool.
#[derive(Debug)]
pub struct Pool {
    kind: PolicyKind,
    partitions: usize,
    budget: AtomicU64,
    used: [AtomicU64; CLASSES],
    items: [AtomicU64; CLASSES],
    ghosts: GhostWindow,
    /// Whether something was evicted since the pool was last empty.
    evicted: AtomicBool,
    /// `tails[class * partitions + partition]`: one contiguous run of `u64` per class, so that the search for
    /// the smallest reads 2 KiB in order for 256 partitions.
    tails: Box<[AtomicU64]>,
}

impl Pool {
    /// A pool for policies of `kind` in `partitions` partitions, with room for `budget` (`u64::MAX`: no
    /// limit).
    pub fn new(kind: PolicyKind, partitions: usize, budget: u64) -> Self {
        Pool {
            kind,
            partitions,
            budget: AtomicU64::new(budget),
            used: Default::default(),
            items: Default::default(),
            ghosts: GhostWindow::default(),
            evicted: AtomicBool::new(false),
            tails: (0..CLASSES * partitions).map(|_| AtomicU64::new(EMPTY)).collect(),
        }
    }

    /// The kind of policy whose partitions share this pool.
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// How many partitions the table of tails has room for.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// The budget; `u64::MAX` is no limit.
    pub fn budget(&self) -> u64 {
        self.budget.load(Relaxed)
    }

    /// Changes the budget. A smaller one takes effect as the owner evicts while [`Pool::over`].
    pub fn set_budget(&self, budget: u64) {
        self.budget.store(budget, Relaxed);
    }

    /// What is used now. The parts are read one after another, so they may differ by what changes meanwhile.
    pub fn usage(&self) -> Usage {
        Usage {
            budget: self.budget(),
            used: std::array::from_fn(|class| self.used[class].load(Relaxed)),
            items: std::array::from_fn(|class| self.items[class].load(Relaxed)),
        }
    }

    /// The summed cost of all entries.
    pub fn used(&self) -> u64 {
        self.usage().total()
    }

    /// The number of entries.
    pub fn items(&self) -> u64 {
        self.usage().items.iter().sum()
    }

    /// Whether entries must go until the budget is kept.
    pub fn over(&self) -> bool {
        self.over_with(0)
    }

    /// Whether entries must go before one of cost `incoming` fits.
    pub fn over_with(&self, incoming: u64) -> bool {
        self.used().saturating_add(incoming) > self.budget()
    }

    /// Where the next victim is to be sought: (partition index, class). `None`: every published tail is
    /// empty.
    ///
    /// The kind names the class from what all partitions use together; of its tails the one with the smallest
    /// stamp is taken, ties by the smaller index. If that class is empty everywhere, the others are tried.
    pub fn victim(&self) -> Option<(usize, usize)> {
        let first = self.kind.class(&self.usage());
        let classes = (0..CLASSES).map(|step| (first + step) % CLASSES);
        classes.filter_map(|class| Some((self.oldest(class)?, class))).next()
    }

    /// The partition with the smallest stamp in `class`.
    fn oldest(&self, class: usize) -> Option<usize> {
        let row = &self.tails[class * self.partitions..(class + 1) * self.partitions];
        let mut best = EMPTY;
        let mut found = None;
        for (partition, tail) in row.iter().enumerate() {
            let stamp = tail.load(Relaxed);
            if stamp < best {
                best = stamp;
                found = Some(partition);
            }
        }
        found
    }

    /// Writes the policy's tails into the table. To be called after each change to the policy of `partition`,
    /// while its shard is still locked; an index outside the pool is ignored.
    pub fn publish(&self, partition: usize, policy: &dyn Policy) {
        if partition >= self.partitions {
            return;
        }
        for class in 0..CLASSES {
            let stamp = policy.tail(class).map_or(EMPTY, |stamp| stamp.min(EMPTY - 1));
            let cell = &self.tails[class * self.partitions + partition];
            // Most changes leave the tail alone: reading first keeps the line shared between cores.
            if cell.load(Relaxed) != stamp {
                cell.store(stamp, Relaxed);
            }
        }
    }

    /// Accounts for an entry that joined `class`. For policies.
    pub fn charge(&self, class: usize, cost: u64) {
        self.used[class].fetch_add(cost, Relaxed);
        self.items[class].fetch_add(1, Relaxed);
    }

    /// Accounts for an entry that left `class`, with the cost it was charged last. For policies.
    pub fn discharge(&self, class: usize, cost: u64) {
        let used = self.used[class].fetch_sub(cost, Relaxed);
        let items = self.items[class].fetch_sub(1, Relaxed);
        debug_assert!(used >= cost && items >= 1, "an entry is discharged once, with what it was charged");
        if items == 1 && self.items() == 0 {
            self.evicted.store(false, Relaxed);
        }
    }

    /// Accounts for an entry of `class` whose cost changed. For policies.
    pub fn recharge(&self, class: usize, old_cost: u64, new_cost: u64) {
        if new_cost >= old_cost {
            self.used[class].fetch_add(new_cost - old_cost, Relaxed);
        } else {
            self.used[class].fetch_sub(old_cost - new_cost, Relaxed);
        }
    }

    /// Accounts for an entry that moved from one class to another. For policies.
    pub fn transfer(&self, from: usize, to: usize, cost: u64) {
        self.used[from].fetch_sub(cost, Relaxed);
        self.items[from].fetch_sub(1, Relaxed);
        self.used[to].fetch_add(cost, Relaxed);
        self.items[to].fetch_add(1, Relaxed);
    }

    /// Whether something was evicted since the pool was last empty: until then the cache is filling up.
    pub fn has_evicted(&self) -> bool {
        self.evicted.load(Relaxed)
    }

    /// Says that the cache is full. For policies.
    pub fn note_eviction(&self) {
        if !self.has_evicted() {
            self.evicted.store(true, Relaxed);
        }
    }

    /// Numbers a key that left and is remembered in a ghost list; all lists of the pool together remember the
    /// keys that left last, of at most `capacity` summed cost.
    pub(crate) fn enter_ghost(&self, cost: u64, capacity: u64) -> u64 {
        self.ghosts.enter(cost, capacity)
    }

    /// Takes out a number that came back, with the cost it entered with; `false` if it was forgotten
    /// meanwhile. To be called once at most for a number.
    pub(crate) fn take_ghost(&self, number: u64, cost: u64) -> bool {
        self.ghosts.take(number, cost)
    }

    /// Ghost numbers below this one are forgotten.
    pub(crate) fn ghost_floor(&self) -> u64 {
        self.ghosts.floor()
    }
}
