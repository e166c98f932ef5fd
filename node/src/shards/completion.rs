//! When the answers of a batch are there: at once, or once something happened.
//!
//! A hand-over holds requests for a moment, and under quorum answers wait until what they saw is committed; both wait
//! for the event, not by looking again and again. Does not know what a batch does.

use super::{
    Partition, Shards,
    batch::Answer,
    execute::{Run, Step},
};
use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

/// The answers of one batch, one per call in order.
pub enum Completion {
    /// They are there.
    Ready(Vec<Answer>),
    /// They will be. What follows the batch in program order must not be submitted before; dropping the future
    /// leaves undone what was not yet begun.
    Pending(Pin<Box<dyn Future<Output = Vec<Answer>> + Send>>),
    /// All is carried out, so what follows may be submitted; the answers will be there.
    Committing(Pin<Box<dyn Future<Output = Vec<Answer>> + Send>>),
}

impl Completion {
    /// The answers, waited for if need be.
    pub async fn answers(self) -> Vec<Answer> {
        match self {
            Completion::Ready(answers) => answers,
            Completion::Pending(future) | Completion::Committing(future) => future.await,
        }
    }
}

/// Goes on with a run that is held whenever the hand-over lets requests go, for at most `limit`; what is still
/// held then is answered with TRYAGAIN.
pub(super) async fn when_released(shards: Arc<Shards>, mut run: Run, limit: Duration) -> Vec<Answer> {
    let Some(partition) = shards.partition(run.partition()) else { return run.into_answers() };
    let mut timer = pin!(tokio::time::sleep(limit));
    let mut over = false;
    loop {
        let mut released = pin!(partition.released.notified());
        // Listens before it looks, so that no release falls in between.
        released.as_mut().enable();
        let mut step = shards.advance(&mut run);
        if over && matches!(step, Step::Held) {
            run.refuse_rest(&Answer::TryAgain);
            step = shards.verify(&mut run);
        }
        match step {
            Step::Finished => return run.into_answers(),
            Step::Uncommitted => return when_committed(shards.clone(), run).await,
            Step::Held => {}
        }
        tokio::select! {
            () = &mut released => {}
            () = &mut timer => over = true,
        }
    }
}

/// Waits until what a run saw is committed, or cannot be any more under this node: then its answers are withheld.
pub(super) async fn when_committed(shards: Arc<Shards>, mut run: Run) -> Vec<Answer> {
    let Some(partition) = shards.partition(run.partition()) else { return run.into_answers() };
    let verified = || (!matches!(shards.verify(&mut run), Step::Uncommitted)).then_some(());
    shards.with_each_commit(partition, verified).await;
    run.into_answers()
}

impl Shards {
    /// Looks whenever more of a partition is committed, or the lease may be over, until that gives something.
    pub(super) async fn with_each_commit<T>(
        &self,
        partition: &Partition,
        mut look: impl FnMut() -> Option<T>,
    ) -> T {
        loop {
            let mut committed = pin!(partition.committed.notified());
            // Listens before it looks, so that no commit falls in between.
            committed.as_mut().enable();
            if let Some(seen) = look() {
                return seen;
            }
            // A lease that runs out wakes nobody.
            let _ = tokio::time::timeout(self.lease.remaining(), committed).await;
        }
    }
}
