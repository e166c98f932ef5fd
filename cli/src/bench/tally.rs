//! What came of the requests: counts, errors by code, latencies. Does not know who counts.

use crate::latencies::Latencies;
use predis_resp::Reply;
use std::{collections::BTreeMap, time::Duration};

/// Errors of one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Errors {
    /// How many.
    pub(super) count: u64,
    /// The first one's words.
    pub(super) first: String,
}

/// What came of one connection's requests, or of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) gets: Latencies,
    pub(super) sets: Latencies,
    pub(super) errors: BTreeMap<String, Errors>,
}

impl Tally {
    /// Counts a reply. Errors have no latency: a server that refuses is not fast.
    pub(super) fn count(&mut self, is_set: bool, reply: &Reply, latency: Duration) {
        match reply {
            Reply::Error(message) => {
                let code = message.split_whitespace().next().unwrap_or_default();
                let new = || Errors { count: 0, first: message.clone().into_owned() };
                self.errors.entry(code.to_owned()).or_insert_with(new).count += 1;
            }
            _ if is_set => self.sets.record(latency),
            reply => {
                let hit = !matches!(reply, Reply::Null);
                self.hits += u64::from(hit);
                self.misses += u64::from(!hit);
                self.gets.record(latency);
            }
        }
    }

    /// Counts all that another one counted.
    pub(super) fn add(&mut self, other: &Tally) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.gets.add(&other.gets);
        self.sets.add(&other.sets);
        for (code, more) in &other.errors {
            let new = || Errors { count: 0, first: more.first.clone() };
            self.errors.entry(code.clone()).or_insert_with(new).count += more.count;
        }
    }

    /// How many requests were answered with errors.
    pub(super) fn failed(&self) -> u64 {
        self.errors.values().map(|errors| errors.count).sum()
    }

    /// How many were answered.
    pub(super) fn answered(&self) -> u64 {
        self.gets.count() + self.sets.count() + self.failed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_counted_by_what_they_are() {
        let mut tally = Tally::default();
        let us = Duration::from_micros;
        tally.count(false, &Reply::text("value"), us(10));
        tally.count(false, &Reply::Null, us(20));
        tally.count(true, &Reply::ok(), us(30));
        tally.count(true, &Reply::error("OOM command not allowed"), us(1));
        let mut other = Tally::default();
        other.count(true, &Reply::error("OOM again"), us(1));
        other.count(false, &Reply::error("MOVED 1 a:1"), us(1));
        tally.add(&other);
        assert_eq!((tally.hits, tally.misses, tally.failed(), tally.answered()), (1, 1, 3, 6));
        let errors = Errors { count: 2, first: "OOM command not allowed".to_owned() };
        assert_eq!(tally.errors["OOM"], errors);
        assert_eq!((tally.gets.count(), tally.sets.count()), (2, 1));
    }
}
