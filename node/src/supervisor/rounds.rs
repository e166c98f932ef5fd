//! Majority rounds on behalf of many: whoever asks while one round runs shares the next.
//!
//! A round that is answered to a caller always began after the caller asked.

use predis_raft::MetaRaft;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Asks for rounds.
#[derive(Clone)]
pub(super) struct Rounds(mpsc::UnboundedSender<oneshot::Sender<bool>>);

impl Rounds {
    /// Starts the task that runs rounds one after the other, none longer than `limit`.
    pub(super) fn start(meta: MetaRaft, limit: Duration) -> Rounds {
        let (sender, mut waiting) = mpsc::unbounded_channel::<oneshot::Sender<bool>>();
        tokio::spawn(async move {
            while let Some(first) = waiting.recv().await {
                let mut callers = vec![first];
                while let Ok(caller) = waiting.try_recv() {
                    callers.push(caller);
                }
                let round = tokio::time::timeout(limit, meta.confirm_leadership()).await;
                let confirmed = matches!(round, Ok(Ok(_)));
                for caller in callers {
                    // A caller that went away needs no answer.
                    let _ = caller.send(confirmed);
                }
            }
        });
        Rounds(sender)
    }

    /// Whether a majority confirmed, in a round that began after this call, that this member leads.
    pub(super) async fn confirmed(&self) -> bool {
        let (sender, answer) = oneshot::channel();
        self.0.send(sender).is_ok() && answer.await.unwrap_or(false)
    }
}
