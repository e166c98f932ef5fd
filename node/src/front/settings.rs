//! What CONFIG SET changes on this node alone. What nodes agree on is in the metadata instead.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The settings of one front.
pub(super) struct Settings {
    max_clients: AtomicUsize,
    timeout_s: AtomicU64,
}

impl Settings {
    /// As the node was started; connections may be idle for any time.
    pub(super) fn new(max_clients: usize) -> Settings {
        Settings { max_clients: AtomicUsize::new(max_clients), timeout_s: AtomicU64::new(0) }
    }

    /// The most connections at a time.
    pub(super) fn max_clients(&self) -> usize {
        self.max_clients.load(Relaxed)
    }

    pub(super) fn set_max_clients(&self, count: usize) {
        self.max_clients.store(count, Relaxed);
    }

    /// After how many seconds without a request a connection is closed; 0 for never.
    pub(super) fn timeout_s(&self) -> u64 {
        self.timeout_s.load(Relaxed)
    }

    pub(super) fn set_timeout_s(&self, seconds: u64) {
        self.timeout_s.store(seconds, Relaxed);
    }
}
