//! A client that writes keys with a time to live under `quorum`, and looks whether they are still there.

use super::session::{Ending, Session};
use crate::oracle::{Observed, Oracle, lock};
use predis_resp::Reply;
use predis_types::{Rng, SplitMix64};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How many keys are looked at: the last ones.
const LOOKED_AT: usize = 24;

/// Runs until told to be quiet.
pub(super) async fn deadlines(who: u64, mut session: Session, seed: u64, oracle: Arc<Mutex<Oracle>>) {
    let mut rng = SplitMix64::new(seed);
    let mut keys: VecDeque<String> = VecDeque::new();
    let mut count = 0;
    while !lock(&oracle).is_quiet() {
        tokio::time::sleep(Duration::from_millis(5 + rng.below(15))).await;
        let started = turmoil::sim_elapsed().unwrap_or_default();
        if rng.below(4) == 0 {
            count += 1;
            let (key, ttl_ms) = (format!("deadline-{who}-{count}"), 50 + rng.below(1_500));
            let set = ["SET", &key, "x", "PX", &ttl_ms.to_string()];
            if let Ending::Answer(Reply::Simple(_)) = session.request(&key, &set).await {
                keys.push_back(key.clone());
                let ttl = Duration::from_millis(ttl_ms);
                lock(&oracle).observe(who, Observed::DeadlineSet { started, key, ttl });
            }
            if keys.len() > LOOKED_AT {
                keys.pop_front();
            }
        } else if !keys.is_empty() {
            let key = keys[rng.below(keys.len() as u64) as usize].clone();
            if let Ending::Answer(Reply::Integer(found)) = session.request(&key, &["EXISTS", &key]).await {
                let there = found > 0;
                lock(&oracle).observe(who, Observed::DeadlineRead { started, key, there });
            }
        }
    }
}
