//! What a connection is told besides replies: that copies which it keeps are old.

use super::Session;
use crate::front::tracking::Mode;
use arc_swap::Guard;
use bytes::BytesMut;
use predis_resp::{Protocol, Reply};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

/// How much of what it is to be told may wait for a client, in bytes.
const PUSH_BYTES: usize = 8 * 1024 * 1024;

impl Session {
    /// How it tracks what it reads; `None`: not at all.
    pub(in crate::front) fn tracking(&self) -> Guard<Option<Arc<Mode>>> {
        self.tracking.load()
    }

    /// By which its entries are known; `None` while it does not track.
    pub(in crate::front) fn tracking_id(&self) -> Option<u64> {
        Some(self.tracking_id.load(Relaxed)).filter(|id| *id > 0)
    }

    /// Tracks in this manner, its entries being known by `id`.
    pub(in crate::front) fn set_tracking(&self, mode: Mode, id: u64) {
        self.tracking.store(Some(Arc::new(mode)));
        self.tracking_id.store(id, Relaxed);
    }

    /// Tracks no more; what it had still to be told is of no use to it.
    pub(in crate::front) fn end_tracking(&self) {
        let mut pushes = self.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        self.tracking_id.store(0, Relaxed);
        self.tracking.store(None);
        pushes.clear();
    }

    /// The next command is one of those that CLIENT CACHING makes an exception of.
    pub(in crate::front) fn set_caching_next(&self) {
        self.caching_next.store(true, Relaxed);
    }

    /// Whether it keeps a copy of what the command at hand reads: then by which id. To be asked once a command.
    pub(in crate::front) fn tracked(&self) -> Option<u64> {
        let id = self.tracking_id()?;
        let exception = self.caching_next.swap(false, Relaxed);
        let guard = self.tracking();
        let counts = match guard.as_deref() {
            Some(Mode { broadcast: None, opt_in, opt_out }) => {
                if *opt_in {
                    exception
                } else {
                    !(*opt_out && exception)
                }
            }
            _ => false,
        };
        counts.then_some(id)
    }

    /// Has something told to it that answers no request, unless it tracks no more or anew. One that does not listen is
    /// disconnected.
    pub(in crate::front) fn push(&self, id: u64, message: &Reply) {
        let mut pushes = self.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        if self.tracking_id() != Some(id) {
            return;
        }
        message.encode(Protocol::Resp3, &mut pushes);
        let deaf = pushes.len() > PUSH_BYTES;
        drop(pushes);
        if deaf { self.kill() } else { self.pushed.notify_one() }
    }

    /// Adds what it is to be told to its output.
    pub(in crate::front) fn take_pushes(&self, out: &mut BytesMut) {
        if self.tracking_id().is_some() {
            out.extend_from_slice(&self.pushes.lock().unwrap_or_else(PoisonError::into_inner).split());
        }
    }

    /// Resolves when there is something to tell. For the connection's own task alone.
    pub(in crate::front) async fn pushed(&self) {
        self.pushed.notified().await;
    }
}
