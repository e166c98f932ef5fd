//! The policies that keep one queue: its oldest entry goes first, and a use moves an entry to the end or does not.
//!
//! Stamped with ticks. 24 bytes per handle. Does not know the budget.

use crate::policy::{Eviction, Handle, Policy};
use crate::pool::Pool;
use crate::queue::{Queue, Slots};

/// The only class.
const ALL: usize = 0;

/// The state of one partition; `BY_USE` says whether a use moves an entry to the end of the line.
#[derive(Debug, Default)]
pub struct Line<const BY_USE: bool> {
    slots: Slots,
    queue: Queue,
}

impl<const BY_USE: bool> Policy for Line<BY_USE> {
    fn insert(&mut self, pool: &Pool, handle: Handle, _key_hash: u64, cost: u64, tick: u64) {
        self.remove(pool, handle);
        if self.queue.push(&mut self.slots, handle, tick, cost) {
            pool.charge(ALL, cost);
        }
    }

    fn hit(&mut self, _pool: &Pool, handle: Handle, tick: u64) {
        if BY_USE {
            self.queue.renew(&mut self.slots, handle, tick);
        }
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
