//! An intrusive doubly linked queue over a side array indexed by handle, with a stamp and a cost per entry.
//!
//! [`Slots`] is the side array; several [`Queue`]s may share one, an entry being in at most one of them. 24
//! bytes per slot. Does not know why entries are ordered as they are.

use crate::policy::{Handle, MAX_HANDLE};

/// A link to nothing.
const NONE: Handle = u32::MAX;
/// In `newer` of a slot that is in no queue.
const ABSENT: Handle = u32::MAX - 1;

/// One entry's links, stamp and cost.
#[derive(Clone, Copy, Debug)]
struct Slot {
    newer: Handle,
    older: Handle,
    stamp: u64,
    cost: u64,
}

const VACANT: Slot = Slot { newer: ABSENT, older: NONE, stamp: 0, cost: 0 };

/// The side array. Grows to the largest handle seen; shrinks only when cleared.
#[derive(Debug, Default)]
pub struct Slots(Vec<Slot>);

impl Slots {
    /// Whether the handle is in a queue.
    pub fn holds(&self, handle: Handle) -> bool {
        self.0.get(handle as usize).is_some_and(|slot| slot.newer != ABSENT)
    }

    /// The cost of a held entry, `None` for any other handle.
    pub fn cost(&self, handle: Handle) -> Option<u64> {
        self.0.get(handle as usize).filter(|slot| slot.newer != ABSENT).map(|slot| slot.cost)
    }

    /// Changes the cost of a held entry and returns the old one.
    pub fn set_cost(&mut self, handle: Handle, cost: u64) -> Option<u64> {
        let slot = self.0.get_mut(handle as usize).filter(|slot| slot.newer != ABSENT)?;
        Some(std::mem::replace(&mut slot.cost, cost))
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        self.0 = Vec::new();
    }
}

/// One queue: entries leave at the old end and enter at the new end.
#[derive(Debug)]
pub struct Queue {
    oldest: Handle,
    newest: Handle,
}

impl Default for Queue {
    fn default() -> Self {
        Queue { oldest: NONE, newest: NONE }
    }
}

impl Queue {
    /// The entry that has been here longest.
    pub fn oldest(&self) -> Option<Handle> {
        Some(self.oldest).filter(|handle| *handle != NONE)
    }

    /// The stamp of the oldest entry.
    pub fn tail(&self, slots: &Slots) -> Option<u64> {
        self.oldest().map(|handle| slots.0[handle as usize].stamp)
    }

    /// Adds the entry at the new end. `false`, and nothing done, for a handle above [`MAX_HANDLE`] or one
    /// that is in a queue already.
    pub fn push(&mut self, slots: &mut Slots, handle: Handle, stamp: u64, cost: u64) -> bool {
        if handle > MAX_HANDLE || slots.holds(handle) {
            return false;
        }
        let index = handle as usize;
        if index >= slots.0.len() {
            slots.0.resize(index + 1, VACANT);
        }
        slots.0[index] = Slot { newer: NONE, older: self.newest, stamp, cost };
        match self.newest {
            NONE => self.oldest = handle,
            newest => slots.0[newest as usize].newer = handle,
        }
        self.newest = handle;
        true
    }

    /// Takes the entry, which must be in this queue, out and returns its cost. `None` for a handle in no
    /// queue.
    pub fn unlink(&mut self, slots: &mut Slots, handle: Handle) -> Option<u64> {
        if !slots.holds(handle) {
            return None;
        }
        let slot = std::mem::replace(&mut slots.0[handle as usize], VACANT);
        match slot.older {
            NONE => self.oldest = slot.newer,
            older => slots.0[older as usize].newer = slot.newer,
        }
        match slot.newer {
            NONE => self.newest = slot.older,
            newer => slots.0[newer as usize].older = slot.older,
        }
        Some(slot.cost)
    }

    /// Moves the entry, which must be in this queue, to the new end with a new stamp.
    pub fn renew(&mut self, slots: &mut Slots, handle: Handle, stamp: u64) {
        if let Some(cost) = self.unlink(slots, handle) {
            self.push(slots, handle, stamp, cost);
        }
    }
}
