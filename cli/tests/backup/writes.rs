//! Keys that nobody touches, keys that are written to all the time, and what both may hold.

use crate::process::LIMIT;
use bytes::Bytes;
use predis_client::{Client, Expiry, SetOptions};
use predis_resp::Reply;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How many keys each tenant has that nobody touches.
pub const STILL: usize = 2000;

/// How many counters and how many logs each tenant has that are written to all the time.
pub const HOT: usize = 20;

/// A value and when it expires.
pub type Held = (Bytes, Option<u64>);

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// The keys that nobody touches: of all sizes, binary, some of them with an end.
pub fn still(tenant: usize, from_ms: u64) -> BTreeMap<Vec<u8>, Held> {
    let entry = |number: usize| {
        let mut key = format!("still:{tenant}:{number}").into_bytes();
        key.extend([0, 0xff, b'\r', b'\n']);
        let size = if number == 7 { 300_000 } else { number % 97 };
        let value: Vec<u8> = (0..size).map(|at| (at * 31 + number + tenant) as u8).collect();
        let expire_at_ms = number.is_multiple_of(3).then(|| from_ms + 3_600_000 + number as u64);
        (key, (Bytes::from(value), expire_at_ms))
    };
    (0..STILL).map(entry).collect()
}

pub async fn fill(client: &Client, keys: &BTreeMap<Vec<u8>, Held>) {
    for (key, (value, expire_at_ms)) in keys {
        let expiry = expire_at_ms.map_or(Expiry::Never, Expiry::AtMs);
        let set = client.set_with(key, value, SetOptions { expiry, if_exists: None }).await;
        set.unwrap();
    }
}

pub async fn expires_at(client: &Client, key: &[u8]) -> Option<u64> {
    let args = [Bytes::from_static(b"PEXPIRETIME"), Bytes::copy_from_slice(key)];
    match client.call_raw(&args, LIMIT).await.unwrap() {
        Reply::Integer(-1) => None,
        Reply::Integer(at) => Some(u64::try_from(at).unwrap()),
        other => panic!("{other:?}"),
    }
}

pub async fn compare(client: &Client, keys: &BTreeMap<Vec<u8>, Held>) {
    for (key, (value, expire_at_ms)) in keys {
        let said = String::from_utf8_lossy(key);
        assert_eq!(client.get(key).await.unwrap().as_ref(), Some(value), "{said}");
        assert_eq!(expires_at(client, key).await, *expire_at_ms, "{said}");
    }
}

/// Counters that count, logs that grow, keys that come and go.
pub struct Writer {
    pub client: Client,
    pub stop: Arc<AtomicBool>,
    /// How many rounds there were.
    pub rounds: Arc<AtomicU64>,
}

impl Writer {
    pub async fn run(self) {
        while !self.stop.load(Relaxed) {
            let round = self.rounds.load(Relaxed) + 1;
            for number in 0..HOT {
                self.client.incr(format!("count:{number}"), 1).await.unwrap();
                self.client.append(format!("log:{number}"), format!("{round},")).await.unwrap();
                let fleeting = format!("fleeting:{number}");
                if round.is_multiple_of(3) {
                    self.client.del([&fleeting]).await.unwrap();
                } else {
                    self.client.set(&fleeting, round.to_string()).await.unwrap();
                    self.client.expire(&fleeting, Duration::from_secs(3600)).await.unwrap();
                }
            }
            self.rounds.store(round, Relaxed);
        }
    }
}

/// What counters and logs hold lies between two moments, and both agree with themselves.
pub async fn compare_hot(client: &Client, from: u64, to: u64) {
    for number in 0..HOT {
        let count = client.get(format!("count:{number}")).await.unwrap().unwrap();
        let count: u64 = std::str::from_utf8(&count).unwrap().parse().unwrap();
        assert!((from..=to).contains(&count), "count:{number} {count}, not {from} to {to}");
        let log = client.get(format!("log:{number}")).await.unwrap().unwrap();
        let rounds = log.iter().filter(|byte| **byte == b',').count() as u64;
        assert!((from..=to).contains(&rounds), "log:{number} has {rounds}, not {from} to {to}");
        let whole: String = (1..=rounds).map(|round| format!("{round},")).collect();
        assert_eq!(log, whole, "log:{number}");
        let fleeting = format!("fleeting:{number}");
        if let Some(value) = client.get(&fleeting).await.unwrap() {
            let round: u64 = std::str::from_utf8(&value).unwrap().parse().unwrap();
            assert!((from.saturating_sub(2)..=to + 1).contains(&round), "{fleeting} {round}");
        }
    }
}

/// Waits until every writer has done so many rounds.
pub async fn until(rounds: &[Arc<AtomicU64>], least: &[u64]) {
    let until = Instant::now() + LIMIT;
    while rounds.iter().zip(least).any(|(rounds, least)| rounds.load(Relaxed) < *least) {
        assert!(Instant::now() < until, "writers stand still");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
