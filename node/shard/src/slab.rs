//! Entries by handle: dense, re-used indexes into chunks that never move.
//!
//! A plain vector of many millions of entries would be copied whole each time it doubles, with the shard stopped;
//! chunks are added one at a time. Memory goes back to the allocator only when the slab is dropped. Does not know
//! what an entry is.

/// Slots per chunk.
const CHUNK: usize = 1024;

/// The end of the list of vacant slots.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
enum Slot<T> {
    Taken(T),
    /// Holds the next vacant slot.
    Vacant(u32),
}

/// The memory one slot takes, in bytes.
pub(crate) const fn slot_size_bytes<T>() -> usize {
    size_of::<Slot<T>>()
}

/// A store of `T` by `u32` handles.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Slot<T>>>,
    vacant: u32,
    slots: u32,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { chunks: Vec::new(), vacant: NONE, slots: 0 }
    }
}

fn place(handle: u32) -> (usize, usize) {
    (handle as usize / CHUNK, handle as usize % CHUNK)
}

impl<T> Slab<T> {
    /// One more than the largest handle ever given out.
    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    /// The entry at a handle.
    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        let (chunk, slot) = place(handle);
        match self.chunks.get(chunk)?.get(slot)? {
            Slot::Taken(entry) => Some(entry),
            Slot::Vacant(_) => None,
        }
    }

    /// The entry at a handle, to change.
    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut T> {
        let (chunk, slot) = place(handle);
        match self.chunks.get_mut(chunk)?.get_mut(slot)? {
            Slot::Taken(entry) => Some(entry),
            Slot::Vacant(_) => None,
        }
    }

    /// Stores an entry and returns its handle: that of the entry removed last, or a new one.
    pub(crate) fn insert(&mut self, entry: T) -> u32 {
        let vacant = self.vacant;
        let (chunk, slot) = place(vacant);
        if let Some(Slot::Vacant(next)) = self.chunks.get(chunk).and_then(|slots| slots.get(slot)) {
            self.vacant = *next;
            self.chunks[chunk][slot] = Slot::Taken(entry);
            return vacant;
        }
        let handle = self.slots;
        if (handle as usize).is_multiple_of(CHUNK) {
            // The first chunk grows as it is used: most keyspaces of a small tenant need no more.
            self.chunks.push(if handle == 0 { Vec::new() } else { Vec::with_capacity(CHUNK) });
        }
        self.chunks[handle as usize / CHUNK].push(Slot::Taken(entry));
        self.slots =
            handle.checked_add(1).expect("2^32 entries of one partition do not fit a machine's memory");
        handle
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, handle: u32) -> Option<T> {
        let (chunk, slot) = place(handle);
        let slot = self.chunks.get_mut(chunk)?.get_mut(slot)?;
        if let Slot::Vacant(_) = slot {
            return None;
        }
        let taken = std::mem::replace(slot, Slot::Vacant(self.vacant));
        self.vacant = handle;
        match taken {
            Slot::Taken(entry) => Some(entry),
            Slot::Vacant(_) => None,
        }
    }

    /// Every handle in use, ascending.
    pub(crate) fn handles(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.slots).filter(|handle| self.get(*handle).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn agrees_with_a_map_and_reuses_handles() {
        let mut slab = Slab::default();
        let mut model = BTreeMap::new();
        let mut word = 7u64;
        for step in 0..20_000u64 {
            word = predis_types::mix64(word);
            if word % 5 < 3 || model.is_empty() {
                let handle = slab.insert(step);
                assert_eq!(model.insert(handle, step), None, "a handle in use was given out");
            } else {
                let handle = (word >> 8) as u32 % slab.slots();
                assert_eq!(slab.remove(handle), model.remove(&handle));
            }
        }
        assert!(slab.handles().eq(model.keys().copied()));
        assert!(model.iter().all(|(handle, value)| slab.get(*handle) == Some(value)));
        assert!((slab.slots() as usize) < 20_000, "handles were re-used");
        assert_eq!(slab.get(u32::MAX), None);
    }
}
