//! What a shard is asked and what it answers, as plain values. Knows nothing of locks or leases.

use bytes::Bytes;
use predis_resp::{CommandSpec, Reply};
use predis_shard::{HashPosition, PageEntry, ScanOptions, ScanPage, Stats};
use predis_types::{NodeId, PartitionId, Slot, TenantId};

/// Work for one partition, carried out in order.
#[derive(Debug)]
pub struct Batch {
    /// Which partition.
    pub partition: PartitionId,
    /// Whose keys.
    pub tenant: TenantId,
    /// What to do.
    pub work: Work,
    /// The client that keeps copies of what it reads by this, if it does: the sink is told.
    pub reader: Option<u64>,
    /// Whether commands that all only read may be answered from a replica's copy.
    pub from_copy: bool,
}

/// One command on keys of one partition.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which command; one of those that [`predis_shard::Shard::executes`].
    pub spec: &'static CommandSpec,
    /// Its arguments, its name first.
    pub args: Vec<Bytes>,
}

/// What a batch asks.
#[derive(Debug)]
pub enum Work {
    /// Commands on keys, in program order: an [`Answer::Reply`] each.
    Commands(Vec<Call>),
    /// How many keys there are: [`Answer::Count`].
    Len,
    /// Delete every key: [`Answer::Done`].
    Flush,
    /// Set these keys, whatever they held, but those whose time has come: [`Answer::Count`] of those that were set; the
    /// error OOM in an [`Answer::Reply`], and none is set, when one is larger than the tenant's budget.
    Put(Vec<PageEntry>),
    /// One step of SCAN: [`Answer::Page`].
    Scan {
        /// Where to go on.
        from: HashPosition,
        /// Which keys, and how many to look at.
        options: ScanOptions,
    },
    /// Every key that matches: [`Answer::Keys`].
    Keys {
        /// A glob.
        pattern: Bytes,
    },
    /// A key chosen by chance: [`Answer::Key`].
    RandomKey,
    /// How many keys a slot has: [`Answer::Count`].
    CountKeysInSlot(Slot),
    /// Keys of a slot: [`Answer::Keys`].
    KeysInSlot {
        /// Which slot.
        slot: Slot,
        /// At most so many.
        limit: usize,
    },
    /// Counts and sums: [`Answer::Stats`].
    Stats,
    /// Set the counters to zero: [`Answer::Done`].
    ResetCounters,
}

impl Work {
    /// How many answers it gets.
    pub fn len(&self) -> usize {
        match self {
            Work::Commands(calls) => calls.len(),
            _ => 1,
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What came of one [`Call`], or of one [`Work`] of any other kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The command's reply.
    Reply(Reply),
    /// A number of keys.
    Count(u64),
    /// A step of SCAN.
    Page(ScanPage),
    /// Keys in hash order.
    Keys(Vec<Bytes>),
    /// A key, if there is one.
    Key(Option<Bytes>),
    /// Counts and sums.
    Stats(Stats),
    /// It was done.
    Done,
    /// Another node serves the partition.
    Moved(NodeId),
    /// Nobody does, or this node has no lease: it was not carried out.
    ClusterDown,
    /// It was carried out, but the node may not say what came of it, nor whether that will last.
    Withheld,
    /// There is a copy, but older than may be read, and no primary: it was not carried out.
    TooOld,
    /// Too few copies are in sync to write: it was not carried out.
    NoReplicas,
    /// It was not carried out; the same request may be served in a moment.
    TryAgain,
}
