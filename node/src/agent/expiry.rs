//! The active expiry cycle: bounded work, at a pace that follows what is due.

use crate::serving::Serving;
use std::{sync::Arc, time::Duration};

/// How many keys of one partition a step removes at most, so that no request waits long for the lock.
const KEYS_PER_PARTITION: usize = 20;

/// The pace while nothing is known to be due, and the longest time an expired key outlives its end.
const IDLE: Duration = Duration::from_millis(100);

/// The pace while more is due than one step removes.
const BUSY: Duration = Duration::from_millis(1);

/// Removes expired keys for as long as the life lasts.
pub async fn expire(serving: Arc<Serving>) -> String {
    loop {
        let step = serving.shards.expire(KEYS_PER_PARTITION);
        let now_ms = serving.clock.wall_ms();
        let due = step.next_due_ms.map(|at| Duration::from_millis(at.saturating_sub(now_ms)));
        tokio::time::sleep(due.unwrap_or(IDLE).clamp(BUSY, IDLE)).await;
    }
}
