//! Copies by key, within a budget of bytes: what was not used since it was passed over goes first.
//!
//! Knows nothing of nodes beyond whether a copy's source is trusted.

use super::Source;
use bytes::Bytes;
use predis_types::Epoch;
use std::{
    collections::{HashMap, VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// How many locks the copies are spread over.
const SHARDS: usize = 16;

/// What a copy costs besides its key and its value, in bytes, roughly.
const OVERHEAD_BYTES: usize = 160;

/// One copy.
pub(super) struct Copy {
    pub(super) value: Bytes,
    pub(super) epoch: Epoch,
    pub(super) expires_at: Option<Instant>,
    pub(super) source: Arc<Source>,
}

enum Slot {
    /// It is being read.
    Awaited(u64),
    Kept {
        copy: Copy,
        number: u64,
        used: bool,
    },
}

#[derive(Default)]
struct Shard {
    slots: HashMap<Box<[u8]>, Slot>,
    /// Copies in the order in which they came, or were passed over; some are gone.
    order: VecDeque<(Box<[u8]>, u64)>,
    bytes: usize,
    last_number: u64,
}

/// All copies.
pub(super) struct Store {
    shards: Box<[Mutex<Shard>]>,
    most_bytes: usize,
    hasher: RandomState,
}

/// A key that is being read; whoever reads it may keep what it finds, unless the key changes meanwhile.
pub(super) struct Ticket<'a> {
    store: &'a Store,
    key: &'a [u8],
    number: u64,
}

impl Store {
    /// No copies, and room for so many bytes of them.
    pub(super) fn new(max_bytes: usize) -> Store {
        Store {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            most_bytes: max_bytes / SHARDS,
            hasher: RandomState::new(),
        }
    }

    /// The copy of a key that was read in this epoch, if there is one that may be used.
    pub(super) fn get(&self, key: &[u8], epoch: Epoch, now: Instant) -> Option<Bytes> {
        let mut shard = self.shard(key);
        let Some(Slot::Kept { copy, used, .. }) = shard.slots.get_mut(key) else { return None };
        let lives = copy.expires_at.is_none_or(|end| now < end);
        if copy.epoch == epoch && lives && copy.source.is_trusted(now) {
            *used = true;
            return Some(copy.value.clone());
        }
        shard.remove(key);
        None
    }

    /// A key is about to be read.
    pub(super) fn ticket<'a>(&'a self, key: &'a [u8]) -> Ticket<'a> {
        let mut shard = self.shard(key);
        shard.remove(key);
        shard.last_number += 1;
        let number = shard.last_number;
        shard.slots.insert(key.into(), Slot::Awaited(number));
        Ticket { store: self, key, number }
    }

    /// A key changed.
    pub(super) fn forget(&self, key: &[u8]) {
        self.shard(key).remove(key);
    }

    /// Anything may have changed.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let last_number = shard.last_number;
            *shard = Shard { last_number, ..Shard::default() };
        }
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(key) as usize % self.shards.len();
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket<'_> {
    /// Keeps what was read, unless the key changed since the ticket was taken.
    pub(super) fn keep(self, copy: Copy) {
        let mut shard = self.store.shard(self.key);
        if !matches!(shard.slots.get(self.key), Some(Slot::Awaited(number)) if *number == self.number) {
            return;
        }
        shard.bytes += cost(self.key, &copy);
        shard.order.push_back((self.key.into(), self.number));
        let kept = Slot::Kept { copy, number: self.number, used: false };
        shard.slots.insert(self.key.into(), kept);
        shard.make_room(self.store.most_bytes);
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut shard = self.store.shard(self.key);
        if matches!(shard.slots.get(self.key), Some(Slot::Awaited(number)) if *number == self.number) {
            shard.remove(self.key);
        }
    }
}

impl Shard {
    fn remove(&mut self, key: &[u8]) {
        if let Some(Slot::Kept { copy, .. }) = self.slots.remove(key) {
            self.bytes -= cost(key, &copy);
        }
    }

    /// A copy that was used since it was last passed over is passed over once more.
    fn make_room(&mut self, most_bytes: usize) {
        while self.bytes > most_bytes {
            let Some((key, number)) = self.order.pop_front() else { return };
            match self.slots.get_mut(&key) {
                Some(Slot::Kept { number: kept, used, .. }) if *kept == number => {
                    if std::mem::take(used) {
                        self.order.push_back((key, number));
                    } else {
                        self.remove(&key);
                    }
                }
                _ => {}
            }
        }
        if self.order.len() > 2 * self.slots.len() + 64 {
            let slots = &self.slots;
            self.order.retain(|(key, number)| {
                matches!(slots.get(key), Some(Slot::Kept { number: kept, .. }) if kept == number)
            });
        }
    }
}

fn cost(key: &[u8], copy: &Copy) -> usize {
    // The key is there twice: by its name, and in the order.
    2 * key.len() + copy.value.len() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TRUST: Duration = Duration::from_secs(3);

    fn source(now: Instant) -> Arc<Source> {
        let source = Source::new(now);
        source.proved(0, now, TRUST);
        Arc::new(source)
    }

    fn copy(source: &Arc<Source>, value: &'static str) -> Copy {
        Copy { value: value.into(), epoch: Epoch(1), expires_at: None, source: source.clone() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_is_used_while_everything_holds_that_it_depends_on() {
        let (store, now) = (Store::new(1 << 20), Instant::now());
        let origin = source(now);
        let get = |epoch, after| store.get(b"k", Epoch(epoch), now + after);
        let keep = || store.ticket(b"k").keep(copy(&origin, "v"));
        let soon = Duration::from_secs(1);
        keep();
        assert_eq!(get(1, soon), Some("v".into()));
        assert_eq!(get(2, soon), None, "another epoch");
        assert_eq!(get(1, soon), None, "and it is gone");
        keep();
        assert_eq!(get(1, TRUST), None, "no proof for too long");
        store.ticket(b"k").keep(Copy { expires_at: Some(now + soon), ..copy(&origin, "v") });
        assert_eq!(get(1, soon / 2), Some("v".into()));
        assert_eq!(get(1, soon), None, "expired");
        keep();
        store.forget(b"k");
        assert_eq!(get(1, soon), None);
        keep();
        store.clear();
        assert_eq!(get(1, soon), None);
        keep();
        origin.end();
        assert_eq!(get(1, soon), None, "its connection is closed");
    }

    #[tokio::test(start_paused = true)]
    async fn what_changed_while_it_was_read_is_not_kept() {
        let (store, now) = (Store::new(1 << 20), Instant::now());
        let source = source(now);
        for change in [|store: &Store| store.forget(b"k"), |store: &Store| store.clear()] {
            let ticket = store.ticket(b"k");
            change(&store);
            ticket.keep(copy(&source, "old"));
            assert_eq!(store.get(b"k", Epoch(1), now), None);
        }
        let (first, second) = (store.ticket(b"k"), store.ticket(b"k"));
        first.keep(copy(&source, "first"));
        assert_eq!(store.get(b"k", Epoch(1), now), None, "the later reader counts");
        second.keep(copy(&source, "second"));
        assert_eq!(store.get(b"k", Epoch(1), now), Some("second".into()));
        drop(store.ticket(b"k"));
        assert!(store.shard(b"k").slots.is_empty(), "a ticket that is given back leaves nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_is_kept_and_what_is_used_stays() {
        let (store, now) = (Store::new(SHARDS * 20 * 200), Instant::now());
        let source = source(now);
        let names: Vec<String> = (0..2000).map(|n| format!("k{n}")).collect();
        for (n, name) in names.iter().enumerate() {
            store.ticket(name.as_bytes()).keep(copy(&source, "v"));
            if n > 0 {
                store.get(b"k0", Epoch(1), now);
            }
        }
        for shard in &store.shards {
            let shard = shard.lock().unwrap();
            assert!(shard.bytes <= store.most_bytes && shard.slots.len() >= 20, "{}", shard.bytes);
            assert!(shard.order.len() <= 2 * shard.slots.len() + 64);
        }
        assert_eq!(store.get(b"k0", Epoch(1), now), Some("v".into()), "used all the time");
        assert_eq!(store.get(b"k1", Epoch(1), now), None);
        for _ in 0..1000 {
            store.forget(b"k0");
            store.ticket(b"k0").keep(copy(&source, "v"));
        }
        let shard = store.shard(b"k0");
        assert!(shard.order.len() <= 2 * shard.slots.len() + 64, "what is gone is not remembered for long");
    }
}
