//! Makes a run independent of the runs before it in the same process.
//!
//! Tokio numbers tasks by a counter of the process, and a runtime that is dropped drops its tasks in an order
//! that depends on those numbers modulo a few. A crashed host closes its connections in that order, and every
//! closing is a message with a latency of its own: so the numbers show in the trace. Each run therefore begins
//! at a number that is a multiple of [`ALIGNMENT`], and only one run is under way at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A multiple of any number of lists that tokio deals the tasks of a single-threaded runtime out to.
const ALIGNMENT: u64 = 64;

static RUN: Mutex<()> = Mutex::new(());

/// Waits for the run under way to end and aligns the numbers; the next run may begin when this is dropped.
pub(crate) fn align() -> MutexGuard<'static, ()> {
    // A run that panicked is over as well.
    let guard = RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without drivers needs nothing of the system");
    let next = || {
        let id = runtime.block_on(async { tokio::spawn(async { tokio::task::id() }).await });
        id.ok().and_then(|id| id.to_string().parse::<u64>().ok())
    };
    while next().is_some_and(|id| (id + 1) % ALIGNMENT != 0) {}
    guard
}
