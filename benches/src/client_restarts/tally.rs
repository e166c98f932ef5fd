//! What the workers count together, and what they found wrong.

use predis_client::{CallError, Setback};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// How much later than its deadline an operation may end on a machine that is busy with everything else, too.
const SLACK: Duration = Duration::from_millis(250);

/// The most violations that are shown.
const SHOWN: usize = 20;

/// The counts.
#[derive(Default)]
pub(crate) struct Tally {
    wanted: u64,
    over: AtomicBool,
    operations: AtomicU64,
    /// Told with each operation.
    more: Notify,
    ambiguous: AtomicU64,
    silent: AtomicU64,
    late: AtomicU64,
    unavailable: AtomicU64,
    longest_us: AtomicU64,
    violations: Mutex<Vec<String>>,
}

impl Tally {
    pub(crate) fn new(wanted: u64) -> Tally {
        Tally { wanted, ..Tally::default() }
    }

    /// Waits until so many operations were made.
    pub(crate) async fn reached(&self, count: u64) {
        loop {
            let more = self.more.notified();
            if self.operations.load(Relaxed) >= count {
                return;
            }
            more.await;
        }
    }

    /// No node is restarted any more.
    pub(crate) fn restarts_are_over(&self) {
        self.over.store(true, Relaxed);
    }

    /// Whether workers go on.
    pub(crate) fn goes_on(&self) -> bool {
        !(self.over.load(Relaxed) && self.operations.load(Relaxed) >= self.wanted)
    }

    /// An operation ended, after so long.
    pub(crate) fn count(&self, what: &str, took: Duration, deadline: Duration) {
        self.operations.fetch_add(1, Relaxed);
        self.more.notify_waiters();
        self.longest_us.fetch_max(took.as_micros() as u64, Relaxed);
        if took > deadline + SLACK {
            self.violation(format!("{what} took {took:?}, its deadline was {deadline:?}"));
        }
    }

    /// An operation failed. `once` says whether carrying it out twice would make a difference.
    pub(crate) fn failed(&self, what: &str, once: bool, error: &CallError) {
        match error {
            CallError::Ambiguous { .. } if once => self.ambiguous.fetch_add(1, Relaxed),
            // A write on a connection that was given up: the node may carry it out after later ones.
            CallError::Ambiguous { cause: Setback::Silent { .. } } => self.silent.fetch_add(1, Relaxed),
            CallError::Deadline { .. } => self.late.fetch_add(1, Relaxed),
            CallError::Unavailable { .. } => self.unavailable.fetch_add(1, Relaxed),
            _ => {
                self.violation(format!("{what}: {error}"));
                0
            }
        };
    }

    /// Something is wrong.
    pub(crate) fn violation(&self, what: String) {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// The counts in a line.
    pub(crate) fn line(&self) -> String {
        let get = |count: &AtomicU64| count.load(Relaxed);
        format!(
            "{} operations: {} ambiguous, {} on connections given up, {} out of time, {} unavailable, longest {:.3} s",
            get(&self.operations),
            get(&self.ambiguous),
            get(&self.silent),
            get(&self.late),
            get(&self.unavailable),
            get(&self.longest_us) as f64 / 1e6
        )
    }

    /// Prints what was wrong; whether nothing was.
    pub(crate) fn report(&self) -> bool {
        let violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        for violation in violations.iter().take(SHOWN) {
            println!("violation: {violation}");
        }
        println!("{} violations", violations.len());
        violations.is_empty()
    }
}
