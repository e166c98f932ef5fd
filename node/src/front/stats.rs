//! What a front counts: commands, errors, latency, bytes, connections.
//!
//! ```text
//! connection --once a batch--> its stripe (atomics) --summed when somebody asks--> INFO, the metrics page
//! ```
//! Counters are spread over stripes so that connections on different cores rarely meet on one cache line; no
//! command takes a lock. Knows nothing of keys: hits and misses are counted by the shards.

pub use super::histogram::{BUCKETS, Latency, bound_us};
pub use super::rates::Totals;

use super::histogram::Histogram;
use super::rates::Rates;
use predis_resp::CommandId;
use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// How many copies of the counters there are: enough for the cores of one machine to spread over.
const STRIPES: usize = 8;

/// The codes that errors are counted under; whatever begins otherwise is counted under the last.
const CODES: [&str; 15] = [
    "CLUSTERDOWN",
    "CROSSSLOT",
    "ERR",
    "MASTERDOWN",
    "MOVED",
    "NOAUTH",
    "NOPERM",
    "NOPROTO",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
    "WRONGTYPE",
    "OTHER",
];

/// What was counted of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandTotals {
    /// How often it was executed.
    pub calls: u64,
    /// How long that took together, in microseconds.
    pub usec: u64,
    /// How many of the calls answered an error.
    pub failed: u64,
    /// How often it was refused before it was executed.
    pub rejected: u64,
}

struct Counters {
    nanos: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    latency: Histogram,
}

impl Counters {
    const fn new() -> Counters {
        Counters {
            nanos: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            latency: Histogram::new(),
        }
    }
}

/// The counters that one connection adds to.
pub(super) struct Stripe {
    commands: [Counters; CommandId::ALL.len()],
    errors: [AtomicU64; CODES.len()],
    pub(super) net_in: AtomicU64,
    pub(super) net_out: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) writes: AtomicU64,
    processed: AtomicU64,
}

impl Stripe {
    fn new() -> Stripe {
        Stripe {
            commands: array::from_fn(|_| Counters::new()),
            errors: Default::default(),
            net_in: AtomicU64::new(0),
            net_out: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            processed: AtomicU64::new(0),
        }
    }

    /// Counts `calls` executions of a command that took `nanos` each.
    pub(super) fn executed(&self, id: CommandId, calls: u64, nanos: u64) {
        let counters = &self.commands[id as usize];
        counters.nanos.fetch_add(nanos * calls, Relaxed);
        counters.latency.add(nanos, calls);
        self.processed.fetch_add(calls, Relaxed);
    }

    /// Counts an error that an execution answered.
    pub(super) fn failed(&self, id: CommandId, message: &str) {
        self.commands[id as usize].failed.fetch_add(1, Relaxed);
        self.error(message);
    }

    /// Counts a command that was refused before it was executed.
    pub(super) fn rejected(&self, id: CommandId, message: &str) {
        self.commands[id as usize].rejected.fetch_add(1, Relaxed);
        self.error(message);
    }

    /// Counts an error that belongs to no command.
    pub(super) fn error(&self, message: &str) {
        let code = message.split(' ').next().unwrap_or_default();
        let at = CODES.iter().position(|known| *known == code).unwrap_or(CODES.len() - 1);
        self.errors[at].fetch_add(1, Relaxed);
    }

    fn reset(&self) {
        for counters in &self.commands {
            counters.latency.reset();
            for counter in [&counters.nanos, &counters.failed, &counters.rejected] {
                counter.store(0, Relaxed);
            }
        }
        let bytes = [&self.net_in, &self.net_out, &self.reads, &self.writes, &self.processed];
        for counter in self.errors.iter().chain(bytes) {
            counter.store(0, Relaxed);
        }
    }
}

/// Everything a front counts.
pub struct Stats {
    stripes: Box<[Stripe]>,
    connections: AtomicU64,
    refused: AtomicU64,
    rates: Mutex<Rates>,
}

impl Default for Stats {
    fn default() -> Self {
        Stats {
            stripes: (0..STRIPES).map(|_| Stripe::new()).collect(),
            connections: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            rates: Mutex::default(),
        }
    }
}

impl Stats {
    /// The counters for the connection with this id.
    pub(super) fn stripe(&self, connection: u64) -> &Stripe {
        &self.stripes[(connection % STRIPES as u64) as usize]
    }

    pub(super) fn count_connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn count_refusal(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    fn sum(&self, counter: impl Fn(&Stripe) -> &AtomicU64) -> u64 {
        self.stripes.iter().map(|stripe| counter(stripe).load(Relaxed)).sum()
    }

    /// What was counted of a command.
    pub fn command(&self, id: CommandId) -> CommandTotals {
        let at = id as usize;
        CommandTotals {
            calls: self.latency(id).count,
            usec: self.sum(|stripe| &stripe.commands[at].nanos) / 1000,
            failed: self.sum(|stripe| &stripe.commands[at].failed),
            rejected: self.sum(|stripe| &stripe.commands[at].rejected),
        }
    }

    /// How long a command took, as a histogram. A batch's time is split evenly over its commands.
    pub fn latency(&self, id: CommandId) -> Latency {
        let mut latency = Latency::default();
        for stripe in &self.stripes {
            let counters = &stripe.commands[id as usize];
            latency.join(&counters.latency, counters.nanos.load(Relaxed));
        }
        latency
    }

    /// The error codes that were answered and how often, in the order of the codes.
    pub fn errors(&self) -> Vec<(&'static str, u64)> {
        let counted =
            CODES.iter().enumerate().map(|(at, code)| (*code, self.sum(|stripe| &stripe.errors[at])));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    /// How many error replies were given.
    pub fn error_replies(&self) -> u64 {
        self.errors().iter().map(|(_, count)| count).sum()
    }

    /// How many commands were executed.
    pub fn commands_processed(&self) -> u64 {
        self.sum(|stripe| &stripe.processed)
    }

    /// How many connections were accepted.
    pub fn connections_received(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// How many connections were refused because there were too many.
    pub fn connections_refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Bytes that clients sent.
    pub fn net_in_bytes(&self) -> u64 {
        self.sum(|stripe| &stripe.net_in)
    }

    /// Bytes that clients were sent.
    pub fn net_out_bytes(&self) -> u64 {
        self.sum(|stripe| &stripe.net_out)
    }

    /// Reads from sockets that gave something.
    pub fn reads(&self) -> u64 {
        self.sum(|stripe| &stripe.reads)
    }

    /// Writes to sockets.
    pub fn writes(&self) -> u64 {
        self.sum(|stripe| &stripe.writes)
    }

    /// Events a second over the last samples: commands, bytes in, bytes out.
    pub fn per_second(&self) -> Totals {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).per_second()
    }

    /// Takes a sample for [`Stats::per_second`].
    pub(super) fn sample(&self, now_us: u64) {
        let totals = self.totals();
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).sample(now_us, totals);
    }

    fn totals(&self) -> Totals {
        Totals {
            commands: self.commands_processed(),
            net_in_bytes: self.net_in_bytes(),
            net_out_bytes: self.net_out_bytes(),
        }
    }

    /// Sets everything to zero (CONFIG RESETSTAT).
    pub(super) fn reset(&self) {
        self.stripes.iter().for_each(Stripe::reset);
        self.connections.store(0, Relaxed);
        self.refused.store(0, Relaxed);
        *self.rates.lock().unwrap_or_else(PoisonError::into_inner) = Rates::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_are_summed() {
        let stats = Stats::default();
        for connection in 0..100 {
            stats.stripe(connection).executed(CommandId::Get, 2, 1_500);
            stats.stripe(connection).failed(CommandId::Get, "WRONGTYPE Operation");
            stats.stripe(connection).rejected(CommandId::Set, "MOVED 1 a:1");
            stats.stripe(connection).error("STRANGE thing");
        }
        let get = stats.command(CommandId::Get);
        assert_eq!(get, CommandTotals { calls: 200, usec: 300, failed: 100, rejected: 0 });
        assert_eq!(stats.command(CommandId::Set).rejected, 100);
        assert_eq!(stats.errors(), [("MOVED", 100), ("WRONGTYPE", 100), ("OTHER", 100)]);
        assert_eq!((stats.error_replies(), stats.commands_processed()), (300, 200));
        stats.reset();
        assert_eq!((stats.error_replies(), stats.commands_processed()), (0, 0));
        assert_eq!(stats.command(CommandId::Get), CommandTotals::default());
    }
}
