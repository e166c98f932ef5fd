//! Asks a node that copies were read from, now and then, whether it still serves.
//!
//! What is asked for is a partition's number of keys: a node without a lease cannot answer that, even if it can
//! still be reached.

use super::{Near, Source};
use crate::connection::Connection;
use predis_resp::Reply;
use std::sync::{Arc, Weak, atomic::Ordering::Relaxed};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Asks until the connection is closed.
pub(crate) async fn watch_over(connection: Weak<Connection>, source: Arc<Source>, near: Arc<Near>) {
    let mut ticks = interval(near.settings.heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once, when there is nothing to prove yet.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(connection) = connection.upgrade().filter(|connection| connection.is_open()) else { return };
        let partition = source.partition.load(Relaxed) as u16;
        let (number, asked_at) = (partition.to_string(), Instant::now());
        let trust = near.settings.trust;
        let asked = async {
            let command: [&[u8]; 3] = [b"PARTITION", b"LEN", number.as_bytes()];
            connection.send(&command, asked_at + trust).await.ok()?.await.ok()?.ok()
        };
        if let Ok(Some(Reply::Integer(_))) = timeout(trust, asked).await {
            source.proved(partition, asked_at, trust);
        }
    }
}
