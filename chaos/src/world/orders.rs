//! What operators want agreed on, and the node through which they ask.

use predis_meta::{Action, MetaCommand};
use predis_raft::MetaRaft;
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// How long an order may take.
const LIMIT: Duration = Duration::from_secs(2);

/// What operators want proposed through a node, in order.
#[derive(Default)]
pub(super) struct Orders {
    waiting: Mutex<VecDeque<Action>>,
    more: Notify,
}

impl Orders {
    /// Has this proposed.
    pub(super) fn push(&self, action: Action) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(action);
        self.more.notify_one();
    }

    /// Proposes one order after the other, for as long as there is a process to do it.
    pub(super) async fn carry_out(&self, meta: &MetaRaft) -> Infallible {
        loop {
            let next = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(action) = next else {
                self.more.notified().await;
                continue;
            };
            let command = MetaCommand { at_ms: 1, actor: "operator".to_owned(), action };
            // Whoever ordered it looks at what came of it.
            let _ = meta.propose(&command, LIMIT).await;
        }
    }
}
