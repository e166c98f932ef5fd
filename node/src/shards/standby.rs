//! Copies that this node holds for other primaries, as those see them who read from them.
//!
//! Which reads are answered from one, `predis_replica` decides; how old it may be is the cluster's setting. Knows no
//! commands.

use super::{
    Shards,
    partition::{Following, Guarded, Stream},
};
use predis_replica::{Access, Life, Reading, reading};
use predis_types::PartitionId;
use std::sync::atomic::Ordering::Relaxed;

/// What this node holds for other primaries; without a lease, what it holds as a primary, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standby {
    /// How many copies there are.
    pub copies: usize,
    /// How many of them can be read: whole, showing nothing that is not committed, and of a known age.
    pub readable: usize,
    /// How much the oldest of these may lack at most, in microseconds; `None`: there are none.
    pub stale_us: Option<u64>,
}

impl Shards {
    /// Has reads answered from copies only while they lack no more than this, in microseconds; `None`: however old
    /// they are.
    pub fn set_max_staleness_us(&self, bound_us: Option<u64>) {
        self.max_stale_us.store(bound_us.unwrap_or(u64::MAX), Relaxed);
    }

    /// The partitions that a replica is told of by this node.
    pub fn told(&self, replica: Life) -> Vec<PartitionId> {
        let told = self.partitions.iter().filter(|partition| {
            let guarded = partition.lock();
            guarded.leading().is_some_and(|leading| leading.queues.iter().any(|queue| queue.to == replica))
        });
        told.map(|partition| partition.id).collect()
    }

    /// What this node holds for other primaries, at this moment.
    pub fn standby(&self) -> Standby {
        let (mut standby, served) = (Standby::default(), self.lease.is_valid());
        for partition in &self.partitions {
            let guarded = partition.lock();
            if guarded.copy.is_none() || served && guarded.leading().is_some() {
                continue;
            }
            standby.copies += 1;
            if let Some(stale_us) = self.stale_us(&guarded) {
                standby.readable += 1;
                standby.stale_us = standby.stale_us.max(Some(stale_us));
            }
        }
        standby
    }

    /// What to do with reads to which a copy will do, where `access` is what others get.
    pub(super) fn reading(&self, guarded: &Guarded, access: Access) -> Reading {
        reading(access, self.stale_us(guarded), self.max_stale_us.load(Relaxed))
    }

    /// How much of what happened the copy may lack, at most; `None`: it is not to be read, unless it is served.
    fn stale_us(&self, guarded: &Guarded) -> Option<u64> {
        let now_us = self.clock.mono_us();
        match &guarded.copy.as_ref()?.stream {
            Stream::Follow(Following { follow, fresh, .. }) => fresh.stale_us(follow, now_us),
            // A primary without a lease was the only one for as long as it had it, and everybody has what it shows.
            Stream::Lead(leading) => {
                let stands = guarded.owner.primary == Some(self.identity)
                    && guarded.owner.epoch == leading.lead.epoch()
                    && guarded.hand_over.is_none()
                    && leading.lead.lag() == 0;
                if stands { self.lease.over_for_us() } else { None }
            }
        }
    }
}
