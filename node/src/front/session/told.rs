//! What a connection is told besides replies: that copies which it keeps are old.

use super::Session;
use crate::front::tracking::Mode;
use bytes::BytesMut;
use predis_resp::{Protocol, Reply};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

/// How much of what it is to be told may wait for a client, in bytes.
const PUSH_BYTES: usize = 8 * 1024 * 1024;

impl Session {
    /// How it tracks what it reads; `None`: not at all.
    pub(in crate::front) fn tracking(&self) -> Option<Mode> {
        self.tracking.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(in crate::front) fn set_tracking(&self, mode: Option<Mode>) {
        self.tracks.store(mode.is_some(), Relaxed);
        *self.tracking.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }

    /// The next command is one of those that CLIENT CACHING makes an exception of.
    pub(in crate::front) fn set_caching_next(&self) {
        self.caching_next.store(true, Relaxed);
    }

    /// Whether it keeps a copy of what the command at hand reads. To be asked once a command.
    pub(in crate::front) fn is_tracked(&self) -> bool {
        if !self.tracks.load(Relaxed) {
            return false;
        }
        let exception = self.caching_next.swap(false, Relaxed);
        match self.tracking() {
            Some(Mode { broadcast: None, opt_in, opt_out }) => {
                if opt_in {
                    exception
                } else {
                    !(opt_out && exception)
                }
            }
            _ => false,
        }
    }

    /// Has something told to it that answers no request. One that does not listen is disconnected.
    pub(in crate::front) fn push(&self, message: &Reply) {
        let mut pushes = self.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        message.encode(Protocol::Resp3, &mut pushes);
        let deaf = pushes.len() > PUSH_BYTES;
        drop(pushes);
        if deaf { self.kill() } else { self.pushed.notify_one() }
    }

    /// Adds what it is to be told to its output.
    pub(in crate::front) fn take_pushes(&self, out: &mut BytesMut) {
        if self.tracks.load(Relaxed) {
            out.extend_from_slice(&self.pushes.lock().unwrap_or_else(PoisonError::into_inner).split());
        }
    }

    /// Resolves when there is something to tell. For the connection's own task alone.
    pub(in crate::front) async fn pushed(&self) {
        self.pushed.notified().await;
    }
}
