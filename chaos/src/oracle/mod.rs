//! What was observed: events of the nodes, operations of the clients, faults; and the trace's hash.
//!
//! Records and forgets; judging is the invariants'.

mod trace;

pub use trace::Trace;

use crate::checker::Operation;
use predis_types::probe::{Event, Probe};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// A node said so through its probe.
    Probe(Event),
    /// A node's process began, for the n-th time, counted from 0.
    Booted(u64),
    /// A metadata write was begun: it may be committed from now on, whatever its outcome.
    MetaTried {
        /// The setting.
        key: String,
        /// The value, never used twice.
        value: String,
    },
    /// A metadata write was acknowledged.
    MetaWritten {
        /// When it was begun.
        started: Duration,
        /// The setting.
        key: String,
        /// The value.
        value: String,
        /// Its log index.
        index: u64,
    },
    /// A metadata read was answered.
    MetaRead {
        /// When it was begun.
        started: Duration,
        /// The log index it is as of.
        index: u64,
        /// The settings that the workload writes.
        values: BTreeMap<String, String>,
    },
    /// A key was written, and acknowledged.
    KeyWritten {
        /// When it was begun.
        started: Duration,
        /// The key.
        key: String,
        /// The value: versions of a key only grow.
        version: u64,
    },
    /// A key was read.
    KeyRead {
        /// The key.
        key: String,
        /// Its value, if there was one.
        version: Option<u64>,
    },
    /// A key that clients share was asked for something; recorded when that had ended, or was given up.
    Operation {
        /// The key.
        key: String,
        /// What, when, and what came of it.
        operation: Operation,
    },
    /// A key that is written once was, and it was acknowledged.
    LineWritten {
        /// When it was begun.
        started: Duration,
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// A key that is written once was read, after everything had healed.
    LineRead {
        /// The key.
        key: String,
        /// Its value, if there was one.
        value: Option<String>,
    },
    /// A key was written once with a time to live, and it was acknowledged.
    DeadlineSet {
        /// When it was begun.
        started: Duration,
        /// The key.
        key: String,
        /// The time to live.
        ttl: Duration,
    },
    /// It was asked whether such a key is there.
    DeadlineRead {
        /// When it was asked.
        started: Duration,
        /// The key.
        key: String,
        /// Whether it is.
        there: bool,
    },
}

/// An observation, when and of whom: a node's number, or a client's from 1000 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// In simulated time.
    pub at: Duration,
    /// Of whom.
    pub who: u64,
    /// What.
    pub what: Observed,
}

/// What was observed and not yet judged.
#[derive(Debug, Default)]
pub struct Oracle {
    entries: Vec<Entry>,
    trace: Trace,
    faults: BTreeMap<String, u64>,
    operations: u64,
    quiet: bool,
    now: Duration,
}

/// Locks the oracle, whatever became of other holders.
pub fn lock(oracle: &Mutex<Oracle>) -> MutexGuard<'_, Oracle> {
    oracle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Oracle {
    /// The simulated time: turmoil's where turmoil runs, else that of the tick.
    pub fn now(&self) -> Duration {
        turmoil::sim_elapsed().unwrap_or(self.now)
    }

    /// Sets the time of the tick, for those whom turmoil does not run.
    pub fn set_now(&mut self, now: Duration) {
        self.now = now;
    }

    /// Records an observation made inside of the simulation.
    pub fn observe(&mut self, who: u64, what: Observed) {
        let at = self.now();
        self.trace.line(at, || format!("{who} {what:?}"));
        // Messages are for the trace alone: there are too many of them to keep.
        if !matches!(what, Observed::Probe(Event::Sent { .. })) {
            self.operations += u64::from(!matches!(what, Observed::Probe(_) | Observed::Booted(_)));
            self.entries.push(Entry { at, who, what });
        }
    }

    /// Records a fault; its first word is its kind.
    pub fn fault(&mut self, at: Duration, fault: String) {
        let kind = fault.split(' ').next().unwrap_or_default().to_owned();
        *self.faults.entry(kind).or_default() += 1;
        self.trace.line(at, || fault);
    }

    /// Takes what was observed since the last call.
    pub fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// The trace.
    pub fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Faults by kind.
    pub fn faults(&self) -> &BTreeMap<String, u64> {
        &self.faults
    }

    /// How many operations of clients were observed.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Tells the workloads to finish.
    pub fn hush(&mut self) {
        self.quiet = true;
    }

    /// Whether the workloads should finish.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }
}

/// The probe of one node.
pub struct Watcher {
    node: u64,
    oracle: Arc<Mutex<Oracle>>,
}

impl Watcher {
    /// A probe that reports to the oracle.
    pub fn new(node: u64, oracle: Arc<Mutex<Oracle>>) -> Watcher {
        Watcher { node, oracle }
    }

    /// The node's process began, for the n-th time.
    pub fn booted(&self, boot: u64) {
        lock(&self.oracle).observe(self.node, Observed::Booted(boot));
    }
}

impl Probe for Watcher {
    fn event(&self, event: Event) {
        lock(&self.oracle).observe(self.node, Observed::Probe(event));
    }
}
