//! How often each partition was declared lost, and when: what explains that a key is absent.

use crate::world::World;
use predis_types::{PartitionCount, PartitionId, key_slot};
use std::{collections::BTreeMap, time::Duration};

/// A loss that was declared between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// The look that did not see it.
    pub(super) after: Duration,
    /// The look that did.
    pub(super) by: Duration,
}

/// See the module.
#[derive(Default)]
pub(super) struct Losses {
    partitions: Option<PartitionCount>,
    // By the most advanced state that any node has; as many of them as the partition has been lost.
    of: BTreeMap<PartitionId, Vec<Loss>>,
    looked: Duration,
}

impl Losses {
    /// Looks at what every node has applied.
    pub(super) fn look(&mut self, world: &World) {
        let now = world.elapsed();
        for host in world.hosts().values() {
            let Some(published) = host.with(|node| node.meta().published()) else { continue };
            self.partitions = self.partitions.or(published.state.cluster().map(|cluster| cluster.partitions));
            for (id, partition) in (0..).map(PartitionId).zip(published.state.partitions()) {
                self.lost(id, partition.lost, now);
            }
        }
        self.looked = now;
    }

    /// A partition turns out to have been lost so often.
    pub(super) fn lost(&mut self, id: PartitionId, count: u64, now: Duration) {
        let losses = self.of.entry(id).or_default();
        while (losses.len() as u64) < count {
            losses.push(Loss { after: self.looked, by: now });
        }
    }

    /// The partition of a key, once it is known how many there are.
    pub(super) fn partition(&self, key: &str) -> Option<PartitionId> {
        Some(self.partitions?.partition_of(key_slot(key.as_bytes())))
    }

    /// The losses of a key's partition.
    pub(super) fn of(&self, key: &str) -> &[Loss] {
        self.partition(key).and_then(|partition| self.of.get(&partition)).map_or(&[], Vec::as_slice)
    }

    /// How often the partition of a key had been lost at a time.
    pub(super) fn count(&self, key: &str, at: Duration) -> usize {
        self.of(key).iter().take_while(|loss| loss.by <= at).count()
    }

    /// Whether a loss explains that a key, a write of which began at `started`, is absent at a time.
    pub(super) fn explain(&self, key: &str, started: Duration, at: Duration) -> bool {
        // A loss in the very moment of the beginning counts for the write, and one in that of the reading too.
        self.count(key, at + TICK) > self.count(key, started.saturating_sub(2 * TICK))
    }
}

/// What a look cannot tell apart.
const TICK: Duration = Duration::from_millis(1);

#[cfg(test)]
impl Losses {
    /// Of a cluster with one partition, lost at these times in milliseconds.
    pub(super) fn at(times_ms: &[u64]) -> Losses {
        let mut losses = Losses { partitions: PartitionCount::new(1), ..Losses::default() };
        for (count, at) in (1..).zip(times_ms) {
            losses.looked = Duration::from_millis(at - 1);
            losses.lost(PartitionId(0), count, Duration::from_millis(*at));
        }
        losses
    }
}
