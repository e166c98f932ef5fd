//! The node's wall clock as rustls reads it, to tell whether certificates are valid.

use predis_types::Clock;
use rustls::{pki_types::UnixTime, time_provider::TimeProvider};
use std::{fmt, sync::Arc, time::Duration};

/// A node's clock.
pub(super) struct NodeTime(pub(super) Arc<dyn Clock>);

impl NodeTime {
    pub(super) fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_millis(self.0.wall_ms()))
    }
}

impl TimeProvider for NodeTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.now())
    }
}

impl fmt::Debug for NodeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeTime")
    }
}
