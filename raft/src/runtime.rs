//! The runtime that openraft runs on: tokio, with randomness that can be seeded.
//!
//! openraft draws election time-outs from its runtime. Inside [`seeded`] those draws follow from the seed, task
//! by task, so a simulation is reproducible; outside they come from the operating system. Knows nothing of Raft.

use openraft::{AsyncRuntime, OptionalSend, TokioRuntime};
use predis_types::mix64;
use rand::{SeedableRng, rngs::SmallRng};
use std::{cell::Cell, future::Future, time::Duration};

tokio::task_local! {
    static SEED: Cell<u64>;
}

/// Runs a future, and all that it spawns through openraft, with randomness that follows from `seed`.
pub fn seeded<F: Future>(seed: u64, future: F) -> impl Future<Output = F::Output> {
    SEED.scope(Cell::new(seed), future)
}

/// The next word of this task's seed, or of the operating system's randomness outside of [`seeded`].
fn draw() -> u64 {
    let next = SEED.try_with(|seed| {
        let drawn = mix64(seed.get());
        seed.set(drawn);
        drawn
    });
    next.unwrap_or_else(|_| rand::random())
}

/// Tokio, seeded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SeededRuntime;

impl AsyncRuntime for SeededRuntime {
    type JoinError = tokio::task::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = tokio::task::JoinHandle<T>;
    type Sleep = tokio::time::Sleep;
    type Instant = tokio::time::Instant;
    type TimeoutError = tokio::time::error::Elapsed;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = tokio::time::Timeout<T>;
    type ThreadLocalRng = SmallRng;
    type OneshotSender<T: OptionalSend> = <TokioRuntime as AsyncRuntime>::OneshotSender<T>;
    type OneshotReceiver<T: OptionalSend> = tokio::sync::oneshot::Receiver<T>;
    type OneshotReceiverError = tokio::sync::oneshot::error::RecvError;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        // A child gets a seed of its own, so that its draws do not depend on how tasks interleave.
        tokio::spawn(seeded(draw(), future))
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        tokio::time::sleep(duration)
    }

    fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
        tokio::time::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        tokio::time::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Self::Instant,
        future: F,
    ) -> Self::Timeout<R, F> {
        tokio::time::timeout_at(deadline, future)
    }

    fn is_panic(join_error: &Self::JoinError) -> bool {
        join_error.is_panic()
    }

    fn thread_rng() -> Self::ThreadLocalRng {
        SmallRng::seed_from_u64(draw())
    }

    fn oneshot<T>() -> (Self::OneshotSender<T>, Self::OneshotReceiver<T>)
    where
        T: OptionalSend,
    {
        TokioRuntime::oneshot()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    async fn draws(seed: u64) -> Vec<u64> {
        seeded(seed, async {
            let mut drawn = vec![SeededRuntime::thread_rng().next_u64()];
            let child = SeededRuntime::spawn(async { SeededRuntime::thread_rng().next_u64() });
            drawn.push(child.await.unwrap());
            drawn
        })
        .await
    }

    #[tokio::test]
    async fn the_same_seed_draws_the_same() {
        assert_eq!(draws(1).await, draws(1).await);
        assert_ne!(draws(1).await, draws(2).await);
    }
}
