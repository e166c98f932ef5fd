//! Agreed changes as they happen: the stream behind `Cluster.Watch`.
//!
//! Keeps nothing of its own: what was not yet sent is in the state's audit. A caller that falls so far behind that
//! the audit has forgotten changes is told so instead of being left with a hole.

use super::{Shared, guard::Permit};
use futures_util::stream::{self, Stream};
use predis_meta::{AuditEntry, ClusterState, MAX_AUDIT_ENTRIES};
use predis_proto::admin::Event;
use predis_raft::Published;
use std::collections::VecDeque;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tonic::Status;

/// An entry of the audit as a message.
pub(super) fn event(entry: &AuditEntry) -> Event {
    Event {
        index: entry.index,
        at_ms: entry.at_ms,
        actor: entry.actor.clone(),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
    }
}

/// One caller that watches.
pub(super) struct Watcher {
    pub(super) shared: Shared,
    pub(super) permit: Permit,
    /// Turns true when the node stops.
    pub(super) stop: watch::Receiver<bool>,
    /// Its place among those that may watch at a time.
    pub(super) _place: OwnedSemaphorePermit,
}

/// What is to come after the index that a watcher has seen.
enum News {
    Events(VecDeque<Event>),
    /// The audit has forgotten some of it.
    Forgotten,
}

fn news(state: &ClusterState, seen: u64) -> News {
    let audit = state.audit();
    if audit.len() >= MAX_AUDIT_ENTRIES && audit.front().is_some_and(|oldest| oldest.index > seen) {
        return News::Forgotten;
    }
    // The newest are last, and mostly only they are new.
    let fresh = audit.partition_point(|entry| entry.index <= seen);
    News::Events(audit.range(fresh..).map(event).collect())
}

/// Every change that is agreed on from now on; ends when the node stops, and with an error when the caller may no
/// longer watch.
pub(super) fn events(watcher: Watcher) -> impl Stream<Item = Result<Event, Status>> + Send {
    let published = watcher.shared.meta.watch();
    let seen = published.borrow().index;
    let state = Following { watcher, published, seen, queued: VecDeque::new() };
    stream::unfold(Some(state), |state| async move {
        let mut state = state?;
        match state.next().await? {
            Ok(event) => Some((Ok(event), Some(state))),
            Err(status) => Some((Err(status), None)),
        }
    })
}

struct Following {
    watcher: Watcher,
    published: watch::Receiver<Published>,
    seen: u64,
    queued: VecDeque<Event>,
}

impl Following {
    async fn next(&mut self) -> Option<Result<Event, Status>> {
        loop {
            if let Some(event) = self.queued.pop_front() {
                return Some(Ok(event));
            }
            let now = self.published.borrow_and_update().clone();
            match news(&now.state, self.seen) {
                News::Events(events) => self.queued = events,
                News::Forgotten => {
                    return Some(Err(Status::data_loss("the watcher fell behind: events are missing")));
                }
            }
            self.seen = now.index;
            if !self.queued.is_empty() {
                // Who was allowed to watch may have been disabled since.
                self.watcher.shared.access.update(&now);
                if let Err(status) = self.watcher.permit.renewed(&self.watcher.shared.access) {
                    return Some(Err(status));
                }
                continue;
            }
            tokio::select! {
                biased;
                _ = self.watcher.stop.wait_for(|stop| *stop) => return None,
                changed = self.published.changed() => changed.ok()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_meta::{Action, Expect, MetaCommand};

    #[test]
    fn a_hole_is_noticed_and_nothing_is_repeated() {
        let mut state = super::super::tests::founded_state();
        let set = |value: u64| MetaCommand {
            at_ms: 1,
            actor: "test".to_owned(),
            action: Action::SetConfig {
                key: "k".into(),
                value: Some(value.to_string()),
                expect: Expect::Any,
            },
        };
        let seen = state.applied_index();
        for round in 1..=MAX_AUDIT_ENTRIES as u64 {
            state.apply(seen + round, &set(round)).unwrap();
        }
        let fresh = |seen| match news(&state, seen) {
            News::Events(events) => Some(events.iter().map(|event| event.index).collect::<Vec<_>>()),
            News::Forgotten => None,
        };
        let last = state.applied_index();
        assert_eq!(fresh(last), Some(vec![]));
        assert_eq!(fresh(last - 2), Some(vec![last - 1, last]));
        assert_eq!(fresh(seen + 1).map(|events| events.len()), Some(MAX_AUDIT_ENTRIES - 1));
        assert_eq!(fresh(0), None);
    }
}
