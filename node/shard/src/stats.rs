//! What a keyspace counts. Does not know how it is reported.

use crate::effect::DeleteReason;

/// Events since the keyspace was made or the counters were reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Keys that a reading command found.
    pub hits: u64,
    /// Keys that a reading command did not find.
    pub misses: u64,
    /// Keys removed because their time had come.
    pub expired: u64,
    /// Keys removed because their memory was needed.
    pub evicted: u64,
}

impl Counters {
    pub(crate) fn count_read(&mut self, found: bool) {
        if found {
            self.hits += 1;
        } else {
            self.misses += 1;
        }
    }

    pub(crate) fn count_delete(&mut self, reason: DeleteReason) {
        match reason {
            DeleteReason::Deleted => {}
            DeleteReason::Expired => self.expired += 1,
            DeleteReason::Evicted => self.evicted += 1,
        }
    }
}

/// One tenant's keys in one partition, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Keys stored, expired ones that nobody has met yet included.
    pub keys: u64,
    /// Keys that expire at some time.
    pub expiring: u64,
    /// The mean of their times, in milliseconds since the Unix epoch; `None` when nothing expires.
    pub mean_expire_at_ms: Option<u64>,
    /// The summed cost of all entries, in the unit of the shard's [`crate::Cost`].
    pub cost: u64,
    /// Events.
    pub counters: Counters,
}
