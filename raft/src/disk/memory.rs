//! A disk in memory that fails as disks do: a power loss takes what was not synced, syncs are slow or fail, and
//! there is no space left.
//!
//! ```text
//! write --> current (what reads see), unsynced (oldest first)
//! sync  --> after its latency: all that was unsynced when it began is durable; or it fails, and only some of it is
//! crash --> current = durable, after the first few of the unsynced
//! ```
//! The handle outlives the process that writes through it, as a disk does. Used by the simulator and by tests;
//! never by a server.

use super::{Change, Disk, Pair, Pending, Space, check_sizes};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
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
    // What no sync has covered yet, oldest first; the last one has the number `written`.
    unsynced: VecDeque<Unsynced>,
    written: u64,
    files: BTreeMap<String, Vec<u8>>,
    latency: Duration,
    failing: Option<String>,
    full: bool,
    sync_keeps: Option<usize>,
    faults: DiskFaults,
}

/// Something on its way to the disk.
#[derive(Debug)]
struct Unsynced {
    number: u64,
    what: Write,
}

#[derive(Debug)]
enum Write {
    Changes(Space, Vec<Change>),
    /// A file that is being replaced: the old one is there until this is durable.
    File(String, Vec<u8>),
}

/// How often whoever used a disk was told that it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskFaults {
    /// Syncs that failed by [`MemoryDisk::fail_sync`].
    pub syncs: u64,
    /// Files that could not be replaced because their sync failed.
    pub files: u64,
    /// Operations that found no space.
    pub full: u64,
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
        unsynced.into_iter().take(kept).for_each(|write| inner.make_durable(write.what));
        inner.current = inner.durable.clone();
    }

    /// Makes every later operation fail with this message, or work again with `None`.
    pub fn fail(&self, message: Option<&str>) {
        self.lock().failing = message.map(str::to_owned);
    }

    /// Makes the next sync fail, or lets it be with `None`. Of the writes that it should have made durable only the first `kept` are; the
    /// rest will be gone after a crash, whatever later syncs say, as with an operating system that forgets which
    /// pages it could not write.
    pub fn fail_sync(&self, kept: Option<usize>) {
        self.lock().sync_keeps = kept;
    }

    /// Leaves no space for anything, or gives it back. What is there can be read.
    pub fn fill(&self, full: bool) {
        self.lock().full = full;
    }

    /// Makes syncs take this long. Needs tokio's time, unless it is nothing.
    pub fn slow(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// How often it failed so far.
    pub fn faults(&self) -> DiskFaults {
        self.lock().faults
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

    /// Waits as long as a sync takes.
    async fn spin(&self) {
        let latency = self.lock().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }
}

impl Inner {
    fn push(&mut self, what: Write) -> io::Result<u64> {
        self.check_space()?;
        self.written += 1;
        self.unsynced.push_back(Unsynced { number: self.written, what });
        Ok(self.written)
    }

    fn check_space(&mut self) -> io::Result<()> {
        if !self.full {
            return Ok(());
        }
        self.faults.full += 1;
        Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"))
    }

    /// What a sync does at its end, to the writes up to this number.
    fn sync(&mut self, up_to: u64) -> io::Result<()> {
        let covered = self.unsynced.iter().take_while(|write| write.number <= up_to).count();
        if covered > 0 {
            self.check_space()?;
        }
        let covered: Vec<Unsynced> = self.unsynced.drain(..covered).collect();
        let kept = self.sync_keeps.take();
        covered.into_iter().take(kept.unwrap_or(usize::MAX)).for_each(|write| self.make_durable(write.what));
        if kept.is_some() {
            self.faults.syncs += 1;
            return Err(io::Error::other("the sync failed: input/output error"));
        }
        Ok(())
    }

    fn make_durable(&mut self, write: Write) {
        match write {
            Write::Changes(space, changes) => apply(&mut self.durable, space, changes),
            Write::File(name, content) => drop(self.files.insert(name, content)),
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
        inner.push(Write::Changes(space, changes.clone()))?;
        apply(&mut inner.current, space, changes);
        Ok(())
    }

    fn sync(&self) -> Pending<'_, io::Result<()>> {
        let begun = self.working().map(|inner| inner.written);
        Box::pin(async move {
            let up_to = begun?;
            self.spin().await;
            self.working()?.sync(up_to)
        })
    }

    fn put_file<'a>(&'a self, name: &'a str, content: Vec<u8>) -> Pending<'a, io::Result<()>> {
        Box::pin(async move {
            let number = self.working()?.push(Write::File(name.to_owned(), content))?;
            self.spin().await;
            let mut inner = self.working()?;
            let at = inner.unsynced.iter().position(|write| write.number == number);
            // Another sync may have carried it along; a crash leaves nobody to ask.
            let Some(file) = at.and_then(|at| inner.unsynced.remove(at)) else { return Ok(()) };
            let kept = inner.sync_keeps.take();
            if kept != Some(0) {
                inner.make_durable(file.what);
            }
            if kept.is_some() {
                inner.faults.files += 1;
                return Err(io::Error::other("the sync failed: input/output error"));
            }
            Ok(())
        })
    }

    fn get_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.working()?.files.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

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

    #[tokio::test]
    async fn a_power_loss_hits_a_sync_and_a_file_that_are_under_way() {
        for kept in 0..=2 {
            let disk = MemoryDisk::new();
            disk.put_file("f", vec![1]).await.unwrap();
            disk.slow(Duration::from_secs(3600));
            disk.write(Space::Log, put(1)).unwrap();
            let both = async { tokio::join!(disk.sync(), disk.put_file("f", vec![2])) };
            assert!(both.now_or_never().is_none(), "neither is done");
            assert_eq!(
                disk.get_file("f").unwrap(),
                Some(vec![1]),
                "the old file is there until the new one is"
            );
            disk.crash(kept);
            assert_eq!(disk.get(Space::Log, &[1]).unwrap().is_some(), kept >= 1);
            assert_eq!(disk.get_file("f").unwrap(), Some(vec![if kept == 2 { 2 } else { 1 }]));
        }
    }

    #[tokio::test]
    async fn a_sync_covers_what_was_written_before_it_began() {
        let disk = MemoryDisk::new();
        disk.write(Space::Log, put(1)).unwrap();
        let sync = disk.sync();
        disk.write(Space::Log, put(2)).unwrap();
        sync.await.unwrap();
        disk.crash(0);
        assert!(disk.get(Space::Log, &[1]).unwrap().is_some());
        assert!(disk.get(Space::Log, &[2]).unwrap().is_none());
    }

    #[tokio::test]
    async fn what_a_failed_sync_lost_no_later_sync_brings_back() {
        let disk = MemoryDisk::new();
        disk.write(Space::Log, put(1)).unwrap();
        disk.write(Space::Log, put(2)).unwrap();
        disk.fail_sync(Some(1));
        disk.sync().await.unwrap_err();
        assert_eq!(disk.faults(), DiskFaults { syncs: 1, ..DiskFaults::default() });
        assert!(disk.get(Space::Log, &[2]).unwrap().is_some(), "reads still see it");
        disk.write(Space::Log, put(3)).unwrap();
        disk.sync().await.unwrap();
        disk.crash(usize::MAX);
        let left = [1, 2, 3].map(|key| disk.get(Space::Log, &[key]).unwrap().is_some());
        assert_eq!(left, [true, false, true]);

        disk.fail_sync(Some(0));
        disk.put_file("f", vec![1]).await.unwrap_err();
        assert_eq!(disk.get_file("f").unwrap(), None);
        assert_eq!(disk.faults(), DiskFaults { syncs: 1, files: 1, full: 0 });
    }

    #[tokio::test]
    async fn a_full_disk_refuses_and_can_be_read() {
        let disk = MemoryDisk::new();
        disk.write(Space::Log, put(1)).unwrap();
        disk.fill(true);
        let refused = disk.write(Space::Log, put(2)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        disk.sync().await.unwrap_err();
        disk.put_file("f", vec![1]).await.unwrap_err();
        assert_eq!(disk.faults(), DiskFaults { full: 3, ..DiskFaults::default() });
        assert_eq!(disk.get(Space::Log, &[1]).unwrap(), Some(vec![1]));
        assert_eq!(disk.get(Space::Log, &[2]).unwrap(), None);
        disk.fill(false);
        disk.sync().await.unwrap();
        disk.crash(0);
        assert_eq!(disk.get(Space::Log, &[1]).unwrap(), Some(vec![1]));
    }
}
