//! A client that writes keys under `quorum`, each once, and in the end reads them all: none may be missing.

use super::session::{Ending, Session};
use crate::oracle::{Observed, Oracle, lock};
use predis_resp::Reply;
use predis_types::{Rng, SplitMix64};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How many of them are read: the last ones.
const READ: usize = 200;

/// Runs until told to be quiet, then reads.
pub(super) async fn journal(who: u64, mut session: Session, seed: u64, oracle: Arc<Mutex<Oracle>>) {
    let mut rng = SplitMix64::new(seed);
    let mut written = VecDeque::new();
    for count in 0_u64.. {
        if lock(&oracle).is_quiet() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5 + rng.below(25))).await;
        let (key, value) = (format!("journal-{who}-{count}"), format!("line {count}"));
        let started = turmoil::sim_elapsed().unwrap_or_default();
        if let Ending::Answer(Reply::Simple(_)) = session.request(&key, &["SET", &key, &value]).await {
            written.push_back(key.clone());
            lock(&oracle).observe(who, Observed::LineWritten { started, key, value });
        }
        if written.len() > READ {
            written.pop_front();
        }
    }
    while let Some(key) = written.pop_front() {
        let value = match session.request(&key, &["GET", &key]).await {
            Ending::Answer(Reply::Bulk(value)) => Some(String::from_utf8_lossy(&value).into_owned()),
            Ending::Answer(Reply::Null) => None,
            _ => {
                written.push_front(key);
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        lock(&oracle).observe(who, Observed::LineRead { key, value });
    }
}
