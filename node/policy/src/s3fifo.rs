//! S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO queues are all you need for cache eviction", SOSP 2023).
//!
//! ```text
//!   new key ---------> small (10 % of the budget) --used once or never--> out, into the ghost list
//!                        | used twice or more                                  |
//!                        v                                                     | comes back
//!                      main (the rest) <---------------------------------------+
//!                        | candidate used: re-inserted with one use less; unused: out
//! ```
//!
//! Uses are counted up to 3. The ghost list remembers as much cost as fits main. While the cache first fills
//! up, keys go to main once small has its share, as in the authors' current reference implementation. 34
//! bytes per handle, and about 24 per key in the ghost list. Does not know how many partitions there are:
//! shares and the ghost list's length are judged by the pool's totals.

use crate::ghost::Ghost;
use crate::policy::{CLASSES, Eviction, Handle, Policy};
use crate::pool::Pool;
use crate::queue::{Queue, Slots};

/// The class of the small queue.
pub(crate) const SMALL: usize = 0;
/// The class of the main queue.
pub(crate) const MAIN: usize = 1;

/// Uses are counted up to here.
const MAX_USES: u8 = 3;
/// An entry of the small queue used this often moves to main.
const MOVE_TO_MAIN_USES: u8 = 2;

/// The small queue's share of a budget.
fn small_target(budget: u64) -> u64 {
    budget / 10
}

/// The main queue's share of a budget; also what the ghost list remembers.
pub(crate) fn main_target(budget: u64) -> u64 {
    budget - small_target(budget)
}

/// What is kept of an entry beside its place in a queue.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    class: u8,
    count: u8,
}

/// The state of one partition.
#[derive(Debug, Default)]
pub struct S3fifo {
    slots: Slots,
    queues: [Queue; CLASSES],
    uses: Vec<Uses>,
    key_hashes: Vec<u64>,
    ghost: Ghost,
}

impl S3fifo {
    /// The queue a new key enters.
    fn class_of_new(&mut self, pool: &Pool, key_hash: u64, cost: u64) -> usize {
        if self.ghost.take(pool, key_hash) {
            return MAIN;
        }
        let usage = pool.usage();
        let filling = !pool.has_evicted() && usage.total().saturating_add(cost) <= usage.budget;
        if filling && usage.used[SMALL] >= small_target(usage.budget) { MAIN } else { SMALL }
    }

    /// The class a held entry is in; `SMALL` for any other handle.
    fn class_of(&self, handle: Handle) -> usize {
        self.uses.get(handle as usize).map_or(SMALL, |uses| usize::from(uses.class))
    }

    /// Moves an entry from the old end of `class` to the new end of main, with this many uses left.
    fn requeue(&mut self, pool: &Pool, handle: Handle, class: usize, count: u8, tick: u64) {
        let Some(cost) = self.queues[class].unlink(&mut self.slots, handle) else { return };
        self.queues[MAIN].push(&mut self.slots, handle, tick, cost);
        self.uses[handle as usize] = Uses { class: MAIN as u8, count };
        if class != MAIN {
            pool.transfer(class, MAIN, cost);
        }
    }
}

impl Policy for S3fifo {
    fn insert(&mut self, pool: &Pool, handle: Handle, key_hash: u64, cost: u64, tick: u64) {
        self.remove(pool, handle);
        let class = self.class_of_new(pool, key_hash, cost);
        if !self.queues[class].push(&mut self.slots, handle, tick, cost) {
            return;
        }
        pool.charge(class, cost);
        let index = handle as usize;
        if index >= self.uses.len() {
            self.uses.resize(index + 1, Uses::default());
            self.key_hashes.resize(index + 1, 0);
        }
        self.uses[index] = Uses { class: class as u8, count: 0 };
        self.key_hashes[index] = key_hash;
    }

    fn hit(&mut self, _pool: &Pool, handle: Handle, _tick: u64) {
        if let Some(uses) = self.uses.get_mut(handle as usize) {
            uses.count = (uses.count + 1).min(MAX_USES);
        }
    }

    fn resize(&mut self, pool: &Pool, handle: Handle, cost: u64) {
        if let Some(old_cost) = self.slots.set_cost(handle, cost) {
            pool.recharge(self.class_of(handle), old_cost, cost);
        }
    }

    fn remove(&mut self, pool: &Pool, handle: Handle) {
        let class = self.class_of(handle);
        if let Some(cost) = self.queues[class].unlink(&mut self.slots, handle) {
            pool.discharge(class, cost);
        }
    }

    fn tail(&self, class: usize) -> Option<u64> {
        self.queues.get(class)?.tail(&self.slots)
    }

    fn evict(&mut self, pool: &Pool, class: usize, tick: u64) -> Eviction {
        let Some(handle) = self.queues.get(class).and_then(Queue::oldest) else {
            return Eviction::Empty;
        };
        pool.note_eviction();
        let count = self.uses[handle as usize].count;
        if class == SMALL && count >= MOVE_TO_MAIN_USES {
            self.requeue(pool, handle, SMALL, 0, tick);
            return Eviction::Again;
        }
        if class == MAIN && count >= 1 {
            self.requeue(pool, handle, MAIN, count - 1, tick);
            return Eviction::Again;
        }
        if class == SMALL {
            let cost = self.slots.cost(handle).unwrap_or(0);
            let capacity = main_target(pool.budget());
            self.ghost.remember(pool, self.key_hashes[handle as usize], cost, capacity);
        }
        self.remove(pool, handle);
        Eviction::Victim(handle)
    }

    fn clear(&mut self, pool: &Pool) {
        for class in 0..CLASSES {
            while let Some(handle) = self.queues[class].oldest() {
                self.remove(pool, handle);
            }
        }
        *self = S3fifo::default();
    }
}
