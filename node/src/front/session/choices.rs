//! What a connection chose about how it is served: its protocol, and what will do for it.

use super::Session;
use predis_resp::Protocol;
use std::sync::atomic::Ordering::Relaxed;

impl Session {
    /// The protocol that replies are written in.
    pub(in crate::front) fn protocol(&self) -> Protocol {
        if self.resp3.load(Relaxed) { Protocol::Resp3 } else { Protocol::Resp2 }
    }

    pub(in crate::front) fn set_protocol(&self, protocol: Protocol) {
        self.resp3.store(protocol == Protocol::Resp3, Relaxed);
    }

    pub(in crate::front) fn set_readonly(&self, readonly: bool) {
        self.readonly.store(readonly, Relaxed);
    }

    /// Whether copies that may be behind will do for its reads.
    pub(in crate::front) fn is_readonly(&self) -> bool {
        self.readonly.load(Relaxed)
    }

    pub(in crate::front) fn set_no_evict(&self, no_evict: bool) {
        self.no_evict.store(no_evict, Relaxed);
    }
}
