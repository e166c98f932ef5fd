//! A disk in memory that a crash can hit: whatever was not synced may be gone, in order, from any point on.
//!
//! The handle outlives the process that writes through it, as a disk does. Used by the simulator and by tests;
//! never by a server.

use super::{Change, Disk, Pair, Pending, Space, check_sizes};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Spaces = BTreeMap<(Space, Vec<u8>), Vec<u8>>;

/// A disk in memory; clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    durable: Spaces,
    current: Spaces,
    // Writes since the last sync, oldest first.
    unsynced: Vec<(Space, Vec<Change>)>,
    files: BTreeMap<String, Vec<u8>>,
    failing: Option<String>,
    syncs: u64,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> MemoryDisk {
        MemoryDisk::default()
    }

    /// What a power loss leaves: everything synced, and of the writes since only the first `kept`, in order.
    /// Pass `usize::MAX` for a mere process crash, after which the operating system still writes them all.
    pub fn crash(&self, kept: usize) {
        let mut inner = self.lock();
        let unsynced = std::mem::take(&mut inner.unsynced);
        let mut durable = std::mem::take(&mut inner.durable);
        for (space, changes) in unsynced.into_iter().take(kept) {
            apply(&mut durable, space, changes);
        }
        inner.current = durable.clone();
        inner.durable = durable;
    }

    /// Makes every later operation fail with this message, or work again with `None`.
    pub fn fail(&self, message: Option<&str>) {
        self.lock().failing = message.map(str::to_owned);
    }

    /// How many writes no sync has covered yet.
    pub fn unsynced(&self) -> usize {
        self.lock().unsynced.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every critical section leaves the maps whole, so a poisoned lock is as good as a clean one.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.lock();
        match &inner.failing {
            Some(message) => Err(io::Error::other(message.clone())),
            None => Ok(inner),
        }
    }
}

fn apply(spaces: &mut Spaces, space: Space, changes: Vec<Change>) {
    for change in changes {
        match change {
            Change::Put(key, value) => spaces.insert((space, key), value),
            Change::Remove(key) => spaces.remove(&(space, key)),
        };
    }
}

impl Disk for MemoryDisk {
    fn get(&self, space: Space, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        Ok(self.working()?.current.get(&(space, key.to_vec())).cloned())
    }

    fn range(&self, space: Space, from: &[u8], to: &[u8]) -> io::Result<Vec<Pair>> {
        if from >= to {
            return Ok(Vec::new());
        }
        let inner = self.working()?;
        let range = inner.current.range((space, from.to_vec())..(space, to.to_vec()));
        Ok(range.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn last(&self, space: Space) -> io::Result<Option<Pair>> {
        let inner = self.working()?;
        let mut range = inner.current.iter().rev().filter(|((found, _), _)| *found == space);
        Ok(range.next().map(|((_, key), value)| (key.clone(), value.clone())))
    }

    fn write(&self, space: Space, changes: Vec<Change>) -> io::Result<()> {
        check_sizes(&changes)?;
        let mut inner = self.working()?;
        apply(&mut inner.current, space, changes.clone());
        inner.unsynced.push((space, changes));
        Ok(())
    }

    fn sync(&self) -> Pending<'_, io::Result<()>> {
        let done = self.working().map(|mut inner| {
            for (space, changes) in std::mem::take(&mut inner.unsynced) {
                apply(&mut inner.durable, space, changes);
            }
            inner.syncs += 1;
        });
        Box::pin(std::future::ready(done))
    }

    fn put_file<'a>(&'a self, name: &'a str, content: Vec<u8>) -> Pending<'a, io::Result<()>> {
        let done = self.working().map(|mut inner| {
            inner.files.insert(name.to_owned(), content);
        });
        Box::pin(std::future::ready(done))
    }

    fn get_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.working()?.files.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: u8) -> Vec<Change> {
        vec![Change::Put(vec![key], vec![key])]
    }

    #[tokio::test]
    async fn a_power_loss_keeps_what_was_synced_and_a_prefix_of_the_rest() {
        for kept in 0..=2 {
            let disk = MemoryDisk::new();
            disk.write(Space::Log, put(1)).unwrap();
            disk.sync().await.unwrap();
            disk.write(Space::Log, put(2)).unwrap();
            disk.write(Space::Log, vec![Change::Remove(vec![1])]).unwrap();
            assert_eq!(disk.get(Space::Log, &[1]).unwrap(), None, "reads see every write");
            disk.crash(kept);
            assert_eq!(disk.get(Space::Log, &[2]).unwrap().is_some(), kept >= 1);
            assert_eq!(disk.get(Space::Log, &[1]).unwrap().is_some(), kept < 2);
        }
    }
}
