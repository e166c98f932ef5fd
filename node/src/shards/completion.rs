//! When the answers of a batch are there: at once, or once something happened.
//!
//! A hand-over holds requests for a moment; they wait for its event, not by looking again and again. Does not
//! know what a batch does.

use super::{
    Shards,
    batch::Answer,
    execute::{Progress, Run},
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
}

impl Completion {
    /// The answers, waited for if need be.
    pub async fn answers(self) -> Vec<Answer> {
        match self {
            Completion::Ready(answers) => answers,
            Completion::Pending(future) => future.await,
        }
    }
}

/// Goes on with a run that is held whenever the hand-over lets requests go, for at most `limit`; what is still
/// held then is answered with TRYAGAIN.
pub(super) async fn when_released(shards: Arc<Shards>, mut run: Run, limit: Duration) -> Vec<Answer> {
    let Some(partition) = shards.partition(run.partition()) else { return run.into_answers() };
    let mut timer = pin!(tokio::time::sleep(limit));
    loop {
        let mut released = pin!(partition.released.notified());
        // Listens before it looks, so that no release falls in between.
        released.as_mut().enable();
        if let Progress::Finished = shards.advance(&mut run) {
            break;
        }
        tokio::select! {
            () = &mut released => {}
            () = &mut timer => {
                if let Progress::Held = shards.advance(&mut run) {
                    run.refuse_rest(&Answer::TryAgain);
                    shards.verify(&mut run);
                }
                break;
            }
        }
    }
    run.into_answers()
}
