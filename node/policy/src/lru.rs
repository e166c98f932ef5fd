//! LRU: the entry whose last access is longest ago goes first.
//!
//! One queue in order of last access, stamped with its tick. 24 bytes per handle. Does not know the budget.

use crate::policy::{Eviction, Handle, Policy};
use crate::pool::Pool;
use crate::queue::{Queue, Slots};

/// The only class.
const ALL: usize = 0;

/// The state of one partition.
#[derive(Debug, Default)]
pub struct Lru {
    slots: Slots,
    queue: Queue,
}

impl Policy for Lru {
    fn insert(&mut self, pool: &Pool, handle: Handle, _key_hash: u64, cost: u64, tick: u64) {
        self.remove(pool, handle);
        if self.queue.push(&mut self.slots, handle, tick, cost) {
            pool.charge(ALL, cost);
        }
    }

    fn hit(&mut self, _pool: &Pool, handle: Handle, tick: u64) {
        self.queue.renew(&mut self.slots, handle, tick);
    }

    fn resize(&mut self, pool: &Pool, handle: Handle, cost: u64) {
        if let Some(old_cost) = self.slots.set_cost(handle, cost) {
            pool.recharge(ALL, old_cost, cost);
        }
    }

    fn remove(&mut self, pool: &Pool, handle: Handle) {
        if let Some(cost) = self.queue.unlink(&mut self.slots, handle) {
            pool.discharge(ALL, cost);
        }
    }

    fn tail(&self, class: usize) -> Option<u64> {
        if class == ALL { self.queue.tail(&self.slots) } else { None }
    }

    fn evict(&mut self, pool: &Pool, class: usize, _tick: u64) -> Eviction {
        match self.queue.oldest() {
            Some(handle) if class == ALL => {
                pool.note_eviction();
                self.remove(pool, handle);
                Eviction::Victim(handle)
            }
            _ => Eviction::Empty,
        }
    }

    fn clear(&mut self, pool: &Pool) {
        while let Some(handle) = self.queue.oldest() {
            self.remove(pool, handle);
        }
        self.slots.clear();
    }
}
