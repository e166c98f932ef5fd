//! The near cache: values that were read, kept in the client until the node that has the key says that it changed.
//!
//! ```text
//! get --copy there, and trusted?--> the copy
//!       '-- no --> ticket, GET and PTTL on a tracking connection --> a copy, if the ticket still holds
//! node --invalidate key--> copies and tickets of that key go
//! ```
//! A copy is used only as long as its partition is in the epoch in which it was read, the connection it was read on is
//! open, and the node on it has proved lately that it serves: by answering for a key, or for a partition, which takes
//! a lease. Whatever this client writes, it forgets. Knows nothing of how calls find their way.

mod heartbeat;
mod read;
mod store;

pub(crate) use heartbeat::watch_over;
pub(crate) use read::read;

use crate::settings::NearSettings;
use predis_resp::{CommandSpec, Flag, Reply};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use store::Store;
use tokio::time::Instant;

/// One client's copies.
pub(crate) struct Near {
    pub(crate) settings: NearSettings,
    store: Store,
}

impl Near {
    pub(crate) fn new(settings: NearSettings) -> Near {
        Near { settings, store: Store::new(settings.max_bytes) }
    }

    /// A node says something of its own accord.
    pub(crate) fn hear(&self, message: &[Reply]) {
        let [Reply::Bulk(kind), what] = message else { return };
        if kind.as_ref() != b"invalidate" {
            return;
        }
        match what {
            Reply::Array(keys) => {
                for key in keys {
                    if let Reply::Bulk(key) = key {
                        self.store.forget(key);
                    }
                }
            }
            _ => self.store.clear(),
        }
    }

    /// What a command of this client's may change is forgotten when what is returned is dropped.
    pub(crate) fn forget_after<'a>(&'a self, spec: &CommandSpec, args: &[&'a [u8]]) -> Forgets<'a> {
        let writes = spec.flags.contains(Flag::Write);
        let keys: Vec<&[u8]> = spec.keys_of(args).filter(|_| writes).map(|index| args[index]).collect();
        Forgets { store: &self.store, all: writes && keys.is_empty(), keys }
    }
}

/// Forgets when it is dropped: whether the command was answered or given up.
pub(crate) struct Forgets<'a> {
    store: &'a Store,
    all: bool,
    keys: Vec<&'a [u8]>,
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        if self.all {
            self.store.clear();
        }
        for key in &self.keys {
            self.store.forget(key);
        }
    }
}

/// The connection that a copy was read on, and how far its node is trusted.
pub(crate) struct Source {
    begun: Instant,
    /// In microseconds since then.
    trusted_until_us: AtomicU64,
    ended: AtomicBool,
    /// A partition that the node answered for.
    partition: AtomicU32,
}

impl Source {
    pub(crate) fn new(begun: Instant) -> Source {
        Source {
            begun,
            trusted_until_us: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            partition: AtomicU32::new(0),
        }
    }

    /// The connection is closed.
    pub(crate) fn end(&self) {
        self.ended.store(true, Relaxed);
    }

    /// The node answered for a partition what was asked at `asked_at`: what happened before, it has told.
    fn proved(&self, partition: u16, asked_at: Instant, trust: Duration) {
        let until = (asked_at + trust).saturating_duration_since(self.begun).as_micros() as u64;
        self.trusted_until_us.fetch_max(until, Relaxed);
        self.partition.store(u32::from(partition), Relaxed);
    }

    fn is_trusted(&self, now: Instant) -> bool {
        let now_us = now.saturating_duration_since(self.begun).as_micros() as u64;
        !self.ended.load(Relaxed) && now_us < self.trusted_until_us.load(Relaxed)
    }
}
