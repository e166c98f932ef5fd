//! Which partitions have something to tell a replica: one queue for each life of each node that holds copies.
//!
//! Marked under partitions' locks by whoever changes them, emptied by the one who sends. Does not know what there
//! is to tell.

use predis_replica::Life;
use predis_types::PartitionId;
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::sync::Notify;

/// How long what is not urgent waits for company.
const LAZY: Duration = Duration::from_millis(20);

/// Partitions, each once, in no order.
struct Marks(Box<[AtomicU64]>);

impl Marks {
    fn new(partitions: usize) -> Marks {
        Marks((0..partitions.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    fn mark(&self, partition: PartitionId) {
        let bit = 1 << (partition.0 % 64);
        if let Some(word) = self.0.get(usize::from(partition.0 / 64))
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::AcqRel);
        }
    }

    fn take(&self, into: &mut Vec<PartitionId>) {
        for (at, word) in (0u16..).zip(&self.0) {
            let mut bits = if word.load(Ordering::Relaxed) == 0 { 0 } else { word.swap(0, Ordering::AcqRel) };
            while bits != 0 {
                into.push(PartitionId(at * 64 + bits.trailing_zeros() as u16));
                bits &= bits - 1;
            }
        }
    }
}

/// What there is to tell one replica.
pub struct Queue {
    /// Which.
    pub to: Life,
    urgent: Marks,
    lazy: Marks,
    wake: Notify,
    awake: AtomicBool,
    closed: AtomicBool,
}

impl Queue {
    pub(super) fn new(to: Life, partitions: usize) -> Queue {
        Queue {
            to,
            urgent: Marks::new(partitions),
            lazy: Marks::new(partitions),
            wake: Notify::new(),
            awake: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// There is something to tell.
    pub fn mark(&self, partition: PartitionId) {
        self.urgent.mark(partition);
        if !self.awake.swap(true, Ordering::AcqRel) {
            self.wake.notify_one();
        }
    }

    /// There is something to tell with the next that is told, or a little later.
    pub(super) fn mark_lazily(&self, partition: PartitionId) {
        self.lazy.mark(partition);
    }

    /// Nothing will ever be told any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// The partitions that have something to tell, waited for for a moment; `None` when there will be none.
    pub async fn next(&self) -> Option<Vec<PartitionId>> {
        // What comes after this is woken for.
        let woken = tokio::time::timeout(LAZY, self.wake.notified()).await.is_ok();
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        self.awake.store(false, Ordering::Release);
        let mut partitions = Vec::new();
        self.urgent.take(&mut partitions);
        if !woken || !partitions.is_empty() {
            self.lazy.take(&mut partitions);
        }
        partitions.sort_unstable();
        partitions.dedup();
        Some(partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::{Incarnation, NodeId};

    #[tokio::test(start_paused = true)]
    async fn each_partition_once_and_the_lazy_ones_later() {
        let queue = Queue::new(Life { node: NodeId(1), incarnation: Incarnation(1) }, 130);
        for partition in [129, 3, 129, 64] {
            queue.mark(PartitionId(partition));
        }
        let ids = |ids: &[u16]| Some(ids.iter().copied().map(PartitionId).collect::<Vec<_>>());
        assert_eq!(queue.next().await, ids(&[3, 64, 129]));
        queue.mark_lazily(PartitionId(7));
        assert_eq!(queue.next().await, ids(&[7]), "after a while");
        queue.mark_lazily(PartitionId(7));
        queue.mark(PartitionId(8));
        assert_eq!(queue.next().await, ids(&[7, 8]), "in company");
        assert_eq!(queue.next().await, ids(&[]));
        queue.close();
        assert_eq!(queue.next().await, None);
    }
}
