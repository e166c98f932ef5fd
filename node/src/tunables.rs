//! What may change while a node runs and concerns this node alone: one set of values for all of its lives.
//!
//! Whoever runs the node sets them through [`crate::Node::tunables`], clients by CONFIG SET; knows neither of them,
//! nor the ranges that they keep to.

use crate::config::NodeConfig;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use tokio::sync::watch;

/// The values in force.
pub struct Tunables {
    memory_bytes: watch::Sender<Option<u64>>,
    max_clients: AtomicUsize,
    timeout_s: AtomicU64,
}

impl Tunables {
    /// As a node is told at its start.
    pub fn new(config: &NodeConfig) -> Tunables {
        Tunables::of(config.memory_bytes, config.max_clients, config.timeout_s)
    }

    pub(crate) fn of(memory_bytes: Option<u64>, max_clients: usize, timeout_s: u64) -> Tunables {
        Tunables {
            memory_bytes: watch::Sender::new(memory_bytes),
            max_clients: AtomicUsize::new(max_clients),
            timeout_s: AtomicU64::new(timeout_s),
        }
    }

    /// How many bytes the node's keys may take; `None`: no bound.
    pub fn memory_bytes(&self) -> Option<u64> {
        *self.memory_bytes.borrow()
    }

    /// Changes what the keys may take; the life that serves, if there is one, evicts what is beyond it.
    pub fn set_memory_bytes(&self, bytes: Option<u64>) {
        self.memory_bytes.send_replace(bytes);
    }

    /// Tells of every change of [`Tunables::memory_bytes`].
    pub(crate) fn watch_memory_bytes(&self) -> watch::Receiver<Option<u64>> {
        self.memory_bytes.subscribe()
    }

    /// The most client connections at a time.
    pub fn max_clients(&self) -> usize {
        self.max_clients.load(Relaxed)
    }

    /// Changes how many clients may connect; those beyond it stay.
    pub fn set_max_clients(&self, count: usize) {
        self.max_clients.store(count, Relaxed);
    }

    /// After how many seconds without a request a connection is closed; 0 for never.
    pub fn timeout_s(&self) -> u64 {
        self.timeout_s.load(Relaxed)
    }

    /// Changes after how many seconds an idle connection is closed; 0 for never.
    pub fn set_timeout_s(&self, seconds: u64) {
        self.timeout_s.store(seconds, Relaxed);
    }
}
