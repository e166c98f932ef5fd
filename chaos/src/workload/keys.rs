//! A client that writes and reads keys of its own under `async`.
//!
//! Every key has one writer and its versions grow. After a write whose outcome is unknown the key is never used
//! again: such a write may still be on its way, and would look like data that came back.

use super::session::{Ending, Session};
use crate::oracle::{Observed, Oracle, lock};
use predis_resp::Reply;
use predis_types::{Rng, SplitMix64};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const KEYS: usize = 16;

struct Client {
    who: u64,
    session: Session,
    oracle: Arc<Mutex<Oracle>>,
}

/// One key of the client's.
struct Key {
    name: String,
    version: u64,
}

/// Runs until told to be quiet, then reads every key once more.
pub(super) async fn keys(who: u64, session: Session, seed: u64, oracle: Arc<Mutex<Oracle>>) {
    let mut rng = SplitMix64::new(seed);
    let mut client = Client { who, session, oracle };
    let mut generation = 0;
    let mut fresh = |at: usize| {
        generation += 1;
        Key { name: format!("key-{who}-{at}-{generation}"), version: 0 }
    };
    let mut keys: Vec<Key> = (0..KEYS).map(&mut fresh).collect();
    while !lock(&client.oracle).is_quiet() {
        tokio::time::sleep(Duration::from_millis(5 + rng.below(25))).await;
        let at = rng.below(KEYS as u64) as usize;
        if rng.below(2) == 0 {
            let key = &mut keys[at];
            key.version += 1;
            let (name, version) = (key.name.clone(), key.version);
            if !client.write(name, version).await {
                keys[at] = fresh(at);
            }
        } else {
            client.read(&keys[at].name.clone()).await;
        }
    }
    for key in &keys {
        while !client.read(&key.name.clone()).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Client {
    /// Writes; false when the key must not be used again.
    async fn write(&mut self, key: String, version: u64) -> bool {
        let started = turmoil::sim_elapsed().unwrap_or_default();
        match self.session.request(&key, &["SET", &key, &version.to_string()]).await {
            Ending::Answer(Reply::Simple(_)) => {
                lock(&self.oracle).observe(self.who, Observed::KeyWritten { started, key, version });
                true
            }
            Ending::Refused => true,
            Ending::Answer(_) | Ending::Unknown => false,
        }
    }

    /// Reads; false when there was no answer.
    async fn read(&mut self, key: &str) -> bool {
        let version = match self.session.request(key, &["GET", key]).await {
            Ending::Answer(Reply::Null) => None,
            Ending::Answer(Reply::Bulk(value)) => {
                std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok())
            }
            _ => return false,
        };
        lock(&self.oracle).observe(self.who, Observed::KeyRead { key: key.to_owned(), version });
        true
    }
}
