//! The shards as a whole, from the outside: a rig, and what it is put through.

mod backup;
mod budget;
mod effects;
mod expiry;
mod hand_over;
mod ownership;
mod replication;
mod requests;
mod standby;
mod tenancy;

use super::{Answer, Batch, Call, Completion, Shards, ShardsConfig, Sink, Work};
use crate::lease::Lease;
use bytes::Bytes;
use predis_policy::PolicyKind;
use predis_replica::{HandOverConfig, Life, Members, Ownership, StreamConfig};
use predis_resp::{Reply, lookup};
use predis_types::{
    Epoch, Incarnation, ManualClock, NodeId, PartitionCount, PartitionId, SplitMix64, TenantId, key_slot,
    probe::{Event, Probe},
};
use std::sync::{Arc, Mutex};

const ME: Life = Life { node: NodeId(1), incarnation: Incarnation(5) };
const OTHER: Life = Life { node: NodeId(2), incarnation: Incarnation(9) };
const TENANT: TenantId = TenantId(0);
/// When a rig's clock starts, in milliseconds.
const START_MS: u64 = 1_000_000;
/// A lease that does not end.
const FOREVER: u64 = u64::MAX;

/// How long a hand-over may hold requests: longer than a test takes, so that only its event lets them go.
const HOLD_US: u64 = 60_000_000;

/// Remembers what it saw.
#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl Probe for Seen {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A node's shards with a clock that is moved by hand.
struct Rig {
    shards: Arc<Shards>,
    clock: Arc<ManualClock>,
    lease: Arc<Lease>,
    seen: Arc<Seen>,
    count: PartitionCount,
}

impl Rig {
    /// All partitions are this node's in epoch 1, it has a lease, and there is one tenant.
    fn new(partitions: u16) -> Rig {
        Rig::with_hold(partitions, HOLD_US)
    }

    /// As [`Rig::new`]; a hand-over holds requests for this long.
    fn with_hold(partitions: u16, hold_us: u64) -> Rig {
        Rig::built(partitions, None, hold_us, |shards, _| shards)
    }

    fn with_memory(partitions: u16, memory_bytes: u64) -> Rig {
        Rig::built(partitions, Some(memory_bytes), HOLD_US, |shards, _| shards)
    }

    fn with_sink(partitions: u16, sink: impl FnOnce(Arc<ManualClock>) -> Box<dyn Sink>) -> Rig {
        Rig::built(partitions, None, HOLD_US, |shards, clock| shards.with_sink(sink(clock)))
    }

    /// Another node, which has nothing yet.
    fn of(identity: Life) -> Rig {
        Rig::made(identity, 1, None, HOLD_US, |shards, _| shards)
    }

    fn built(
        partitions: u16,
        memory_bytes: Option<u64>,
        hold_us: u64,
        finish: impl FnOnce(Shards, Arc<ManualClock>) -> Shards,
    ) -> Rig {
        let rig = Rig::made(ME, partitions, memory_bytes, hold_us, finish);
        rig.own_all(ME, 1);
        rig
    }

    fn made(
        identity: Life,
        partitions: u16,
        memory_bytes: Option<u64>,
        hold_us: u64,
        finish: impl FnOnce(Shards, Arc<ManualClock>) -> Shards,
    ) -> Rig {
        let clock = Arc::new(ManualClock::new(START_MS));
        let lease = Arc::new(Lease::new(clock.clone()));
        lease.set(FOREVER);
        let seen = Arc::new(Seen::default());
        let count = PartitionCount::new(partitions).unwrap();
        let config = ShardsConfig {
            identity,
            partitions: count,
            hash_key: [7, 11],
            memory_bytes,
            probe: seen.clone(),
            hand_over: HandOverConfig { hold_us, ..HandOverConfig::default() },
            stream: StreamConfig::default(),
        };
        let rng = Box::new(SplitMix64::new(3));
        let shards = finish(Shards::new(config, clock.clone(), lease.clone(), rng), clock.clone());
        shards.configure_tenant(TENANT, PolicyKind::Lru, None, false);
        Rig { shards: Arc::new(shards), clock, lease, seen, count }
    }

    fn own_all(&self, primary: Life, epoch: u64) {
        self.count.iter().for_each(|partition| self.own(partition.0, Some(primary), epoch));
    }

    /// A primary alone, with every epoch begun anew.
    fn own(&self, partition: u16, primary: Option<Life>, epoch: u64) {
        let members = Members { lost: epoch, ..members(epoch, primary.as_slice()) };
        self.hold(partition, primary, epoch, members);
    }

    fn hold(&self, partition: u16, primary: Option<Life>, epoch: u64, members: Members) {
        let owner = Ownership { primary, epoch: Epoch(epoch) };
        self.shards.update(epoch, std::iter::once((PartitionId(partition), owner, members)));
    }

    fn submit(&self, partition: u16, tenant: TenantId, work: Work) -> Completion {
        self.shards.submit(Batch {
            partition: PartitionId(partition),
            tenant,
            work,
            reader: None,
            from_copy: false,
        })
    }

    /// Submits what is served at once.
    fn ask(&self, partition: u16, work: Work) -> Vec<Answer> {
        ready(self.submit(partition, TENANT, work))
    }

    /// Runs a line of words on the partition of its first key.
    fn call_as(&self, tenant: TenantId, line: &str) -> Answer {
        let work = commands(&[line]);
        let Work::Commands(calls) = &work else { unreachable!() };
        let partition = self.count.partition_of(key_slot(&calls[0].args[1])).0;
        ready(self.submit(partition, tenant, work)).remove(0)
    }

    fn call(&self, line: &str) -> Answer {
        self.call_as(TENANT, line)
    }

    fn used(&self) -> u64 {
        self.shards.budget(TENANT).unwrap().used_bytes
    }
}

/// All of these are in sync, and nobody else is seated.
fn members(version: u64, in_sync: &[Life]) -> Members {
    let set: std::collections::BTreeSet<Life> = in_sync.iter().copied().collect();
    Members { version, in_sync: set.clone(), seated: set, ..Members::default() }
}

/// The answers that are there already.
fn ready(completion: Completion) -> Vec<Answer> {
    match completion {
        Completion::Ready(answers) => answers,
        Completion::Pending(_) => panic!("held"),
        Completion::Committing(_) => panic!("not committed"),
    }
}

fn command(line: &str) -> Call {
    let args: Vec<Bytes> = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
    Call { spec: lookup(&args).unwrap(), args }
}

fn commands(lines: &[&str]) -> Work {
    Work::Commands(lines.iter().map(|line| command(line)).collect())
}

fn ok() -> Answer {
    Answer::Reply(Reply::ok())
}

fn nil() -> Answer {
    Answer::Reply(Reply::Null)
}

fn text(text: &'static str) -> Answer {
    Answer::Reply(Reply::text(text))
}

fn number(number: i64) -> Answer {
    Answer::Reply(Reply::Integer(number))
}
