//! A process of a simulated machine: a runtime of its own, which runs exactly when the world lets it.
//!
//! turmoil steps all its hosts at every tick. A process that can stand still while its clock runs on therefore
//! cannot be one of them: it is stepped by the world between turmoil's ticks, or is not, and reaches the network
//! through its machine's [`super::kernel`] alone. When it runs again, all its timers that were due meanwhile are
//! late at once, as after SIGSTOP and SIGCONT.

use super::panics;
use std::{future::Future, pin::Pin, time::Duration};
use tokio::runtime::{Builder, RngSeed, Runtime};

/// How a process ended by itself: an error says why it could not go on.
pub(super) type Exit = Result<(), String>;

/// What a process runs.
pub(super) type Program = Pin<Box<dyn Future<Output = Exit>>>;

/// A running process.
pub(super) struct Process {
    // Dropped before the runtime that its parts belong to.
    program: Option<Program>,
    runtime: Runtime,
    began_ms: u64,
    ran_ms: u64,
}

impl Process {
    /// Starts a program when its machine's clock shows `now_ms`; `seed` decides how its tasks are scheduled.
    pub(super) fn start(program: Program, seed: u64, now_ms: u64) -> Process {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .rng_seed(RngSeed::from_bytes(&seed.to_le_bytes()))
            .build()
            .expect("a runtime without sockets needs nothing of the system");
        // Timers are of whole milliseconds; the runtime begins on one.
        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        Process { program: Some(program), runtime, began_ms: now_ms, ran_ms: 0 }
    }

    /// Runs until its machine's clock shows `now_ms`. If that is long ahead, it was asleep: the clock jumps first.
    ///
    /// # Panics
    /// When one of its tasks did.
    pub(super) fn run(&mut self, now_ms: u64) -> Option<Exit> {
        let ahead_ms = now_ms.saturating_sub(self.began_ms + self.ran_ms);
        let program = self.program.as_mut()?;
        if ahead_ms == 0 {
            return None;
        }
        self.ran_ms += ahead_ms;
        let turn = async {
            if ahead_ms > 1 {
                tokio::time::advance(Duration::from_millis(ahead_ms - 1)).await;
            }
            tokio::select! {
                biased;
                exit = program => Some(exit),
                () = tokio::time::sleep(Duration::from_millis(1)) => None,
            }
        };
        panics::passed_on(|| self.runtime.block_on(turn))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _within = self.runtime.enter();
        self.program = None;
    }
}
