//! One worker: operations on keys of its own, one after the other, each checked against what the key may hold.

use crate::{
    losses::{Claim, Losses},
    model::{Counter, Reading, Register},
    tally::Tally,
};
use bytes::Bytes;
use predis_client::{CallError, Client, SetOptions};
use predis_types::{PartitionCount, Rng, SplitMix64, key_slot};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How many keys of each kind a worker has.
const REGISTERS: u64 = 100;
const COUNTERS: u64 = 10;

/// How many keys MGET and MSET take.
const SEVERAL: usize = 5;

/// A register, and what is needed to say that its value was lost.
struct Key {
    name: String,
    partition: usize,
    /// How often its partition had been lost when it was last written, at least.
    lost_before: u64,
    register: Register,
}

/// One worker.
pub(crate) struct Worker {
    client: Client,
    losses: Arc<Losses>,
    tally: Arc<Tally>,
    rng: SplitMix64,
    keys: Vec<Key>,
    counters: Vec<(Key, Counter)>,
    claims: Vec<Claim>,
    last: u64,
}

impl Worker {
    pub(crate) fn new(
        number: u64,
        client: Client,
        losses: Arc<Losses>,
        tally: Arc<Tally>,
        rng: SplitMix64,
    ) -> Worker {
        let partitions = client.view().topology.partitions;
        let keys = (0..REGISTERS).map(|key| Key::new(format!("{number}:{key}"), partitions)).collect();
        let counter = |key| (Key::new(format!("{number}:count:{key}"), partitions), Counter::default());
        let counters = (0..COUNTERS).map(counter).collect();
        Worker { client, losses, tally, rng, keys, counters, claims: Vec::new(), last: 0 }
    }

    /// Works until there is enough; what must have been lost for its readings to be right.
    pub(crate) async fn run(mut self, deadline: Duration) -> Vec<Claim> {
        while self.tally.goes_on() {
            let started = Instant::now();
            let what = self.operate().await;
            self.tally.count(what, started.elapsed(), deadline);
        }
        for at in 0..self.keys.len() {
            self.get(at).await;
        }
        self.claims
    }

    async fn operate(&mut self) -> &'static str {
        let at = self.rng.below(REGISTERS) as usize;
        match self.rng.below(100) {
            0..35 => self.get(at).await,
            35..60 => self.set(at).await,
            60..68 => self.delete(at).await,
            68..72 => self.take(at).await,
            72..76 => self.set_if_absent(at).await,
            76..80 => self.exists(at).await,
            80..84 => self.expire(at).await,
            84..87 => self.get_several().await,
            87..90 => self.set_several().await,
            _ => self.increment().await,
        }
    }

    async fn get(&mut self, at: usize) -> &'static str {
        match self.client.get(&self.keys[at].name).await {
            Ok(value) => self.was_read(at, value.as_ref()),
            Err(error) => self.tally.failed("GET", false, &error),
        }
        "GET"
    }

    async fn set(&mut self, at: usize) -> &'static str {
        let (value, lost) = self.next(at);
        let result = self.client.set(&self.keys[at].name, self.text(at, value)).await;
        self.was_written("SET", false, at, (Some(value), lost), result.map(|()| true));
        "SET"
    }

    async fn delete(&mut self, at: usize) -> &'static str {
        let result = self.client.del([&self.keys[at].name]).await;
        self.was_written("DEL", false, at, (None, 0), result.map(|_| true));
        "DEL"
    }

    async fn take(&mut self, at: usize) -> &'static str {
        match self.client.getdel(&self.keys[at].name).await {
            Ok(value) => {
                self.was_read(at, value.as_ref());
                self.keys[at].register.wrote(None);
            }
            Err(error) => self.was_written("GETDEL", true, at, (None, 0), Err(error)),
        }
        "GETDEL"
    }

    async fn set_if_absent(&mut self, at: usize) -> &'static str {
        let (value, lost) = self.next(at);
        let options = SetOptions { if_exists: Some(false), ..SetOptions::default() };
        let result = self.client.set_with(&self.keys[at].name, self.text(at, value), options).await;
        if let Ok(set) = result {
            let reading = self.keys[at].register.exists(!set);
            self.judge(at, reading, "SET NX says otherwise");
        }
        self.was_written("SET NX", true, at, (Some(value), lost), result);
        "SET NX"
    }

    async fn exists(&mut self, at: usize) -> &'static str {
        match self.client.exists([&self.keys[at].name]).await {
            Ok(count) => {
                let reading = self.keys[at].register.exists(count == 1);
                self.judge(at, reading, "EXISTS says otherwise");
            }
            Err(error) => self.tally.failed("EXISTS", false, &error),
        }
        "EXISTS"
    }

    async fn expire(&mut self, at: usize) -> &'static str {
        match self.client.expire(&self.keys[at].name, Duration::from_secs(36_000)).await {
            Ok(exists) => {
                let reading = self.keys[at].register.exists(exists);
                self.judge(at, reading, "PEXPIRE says otherwise");
            }
            Err(error) => self.tally.failed("PEXPIRE", false, &error),
        }
        "PEXPIRE"
    }

    async fn get_several(&mut self) -> &'static str {
        let chosen = self.several();
        let names: Vec<&String> = chosen.iter().map(|at| &self.keys[*at].name).collect();
        match self.client.mget(names).await {
            Ok(values) => {
                for (at, value) in chosen.into_iter().zip(&values) {
                    self.was_read(at, value.as_ref());
                }
            }
            Err(error) => self.tally.failed("MGET", false, &error),
        }
        "MGET"
    }

    async fn set_several(&mut self) -> &'static str {
        let chosen = self.several();
        let values: Vec<(u64, u64)> = chosen.iter().map(|at| self.next(*at)).collect();
        let pair =
            |(at, (value, _)): (&usize, &(u64, u64))| (self.keys[*at].name.clone(), self.text(*at, *value));
        let pairs: Vec<(String, String)> = chosen.iter().zip(&values).map(pair).collect();
        let result = self.client.mset(pairs).await;
        if let Err(error) = &result {
            self.tally.failed("MSET", false, error);
        }
        for (at, (value, lost)) in chosen.into_iter().zip(values) {
            let key = &mut self.keys[at];
            match result {
                Ok(()) => key.wrote(Some(value), lost),
                Err(_) => key.register.may_have_written(Some(value)),
            }
        }
        "MSET"
    }

    async fn increment(&mut self) -> &'static str {
        let at = self.rng.below(COUNTERS) as usize;
        let lost = self.losses.seen();
        let (key, counter) = &mut self.counters[at];
        match self.client.incr(&key.name, 1).await {
            Ok(to) => {
                match counter.incremented(u64::try_from(to).unwrap_or(0)) {
                    Reading::Right => {}
                    Reading::Gone => self.claims.push(key.claim()),
                    Reading::Wrong => {
                        self.tally.violation(format!("{} was incremented to {to}: {counter:?}", key.name));
                        *counter = Counter::default();
                    }
                }
                key.lost_before = lost.get(key.partition).copied().unwrap_or_default();
            }
            Err(error) => {
                if may_have_happened(true, &error) {
                    counter.may_have_incremented();
                }
                self.tally.failed("INCRBY", true, &error);
            }
        }
        "INCRBY"
    }

    /// Distinct keys.
    fn several(&mut self) -> Vec<usize> {
        let first = self.rng.below(REGISTERS) as usize;
        (0..SEVERAL).map(|step| (first + step * 7) % REGISTERS as usize).collect()
    }

    /// A value that no key ever had, and how often the key's partition was lost before it is written.
    fn next(&mut self, at: usize) -> (u64, u64) {
        self.last += 1;
        (self.last, self.losses.seen().get(self.keys[at].partition).copied().unwrap_or_default())
    }

    fn text(&self, at: usize, value: u64) -> String {
        format!("{}={value}", self.keys[at].name)
    }

    fn was_written(
        &mut self,
        what: &'static str,
        once: bool,
        at: usize,
        (value, lost): (Option<u64>, u64),
        result: Result<bool, CallError>,
    ) {
        let key = &mut self.keys[at];
        match result {
            Ok(true) => key.wrote(value, lost),
            Ok(false) => {}
            Err(error) => {
                if may_have_happened(once, &error) {
                    key.register.may_have_written(value);
                }
                self.tally.failed(what, once, &error);
            }
        }
    }

    fn was_read(&mut self, at: usize, value: Option<&Bytes>) {
        let key = &mut self.keys[at];
        let number = match value {
            None => None,
            Some(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                let number =
                    text.strip_prefix(&format!("{}=", key.name)).and_then(|number| number.parse().ok());
                if number.is_none() {
                    self.tally.violation(format!("{} holds {text:?}, which is another key's", key.name));
                }
                number
            }
        };
        let before = format!("{:?}", key.register);
        let reading = key.register.read(number);
        self.judge(at, reading, &format!("was read as {value:?}, expected {before}"));
    }

    fn judge(&mut self, at: usize, reading: Reading, what: &str) {
        let key = &mut self.keys[at];
        match reading {
            Reading::Right => {}
            Reading::Gone => self.claims.push(key.claim()),
            Reading::Wrong => {
                self.tally.violation(format!("{}: {what}: {:?}", key.name, key.register));
                key.register = Register::default();
            }
        }
    }
}

/// What the client says of a failure: a command that must not be carried out twice is either `Ambiguous`, or it was
/// not carried out at all.
fn may_have_happened(once: bool, error: &CallError) -> bool {
    !once || matches!(error, CallError::Ambiguous { .. })
}

impl Key {
    fn new(name: String, partitions: PartitionCount) -> Key {
        let partition = usize::from(partitions.partition_of(key_slot(name.as_bytes())).0);
        Key { name, partition, lost_before: 0, register: Register::default() }
    }

    /// A write was answered for, before which the partition had been lost so often.
    fn wrote(&mut self, value: Option<u64>, lost_before: u64) {
        self.register.wrote(value);
        self.lost_before = lost_before;
    }

    fn claim(&self) -> Claim {
        Claim { key: self.name.clone(), partition: self.partition, lost_before: self.lost_before }
    }
}
