//! One partition on this node: who holds it, this node's copy and its hand-over, behind one lock.
//!
//! ```text
//!   Partition --lock--> Guarded { owner, copy: (shard, stream, the pools its keyspaces are on), hand_over }
//! ```
//! Nobody holds the locks of two partitions. Decides nothing: `predis_replica` does.

use super::{queue::Queue, tap::Tap, tenants::Table};
use bytes::Bytes;
use predis_policy::Pool;
use predis_replica::{Cursor, Follow, Freshness, HandOver, Held, Hold, Lead, Life, Local, Ownership, Role};
use predis_shard::{Context, Shard};
use predis_types::{Epoch, PartitionId, TenantId, mix64};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};
use tokio::sync::Notify;

/// When something happens, by both of the node's clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Wall time in milliseconds.
    pub(super) now_ms: u64,
    /// Monotonic time in microseconds.
    pub(super) mono_us: u64,
}

/// What a copy is used for.
pub(super) enum Stream {
    /// It is the primary's.
    Lead(Leading),
    /// It is a replica's.
    Follow(Following),
}

/// A primary's stream.
pub(super) struct Leading {
    pub(super) lead: Lead<Bytes>,
    /// Where it is noted that there is something to tell, one for each replica.
    pub(super) queues: Vec<Arc<Queue>>,
    /// What collects the changes for whoever reads the partition for a backup; mostly nobody does.
    pub(super) tap: Option<Tap>,
}

impl Leading {
    /// A stream that nobody is told of yet.
    pub(super) fn new(lead: Lead<Bytes>) -> Leading {
        Leading { lead, queues: Vec::new(), tap: None }
    }
}

/// A replica's stream.
pub(super) struct Following {
    pub(super) follow: Follow<Bytes>,
    /// How fresh the copy is.
    pub(super) fresh: Freshness,
    /// From where on a copy in the making has nothing yet; `None`: it is whole.
    pub(super) cursor: Option<Cursor>,
    /// How often the partition had begun anew when this copy began.
    pub(super) lost: u64,
}

/// A copy of a partition.
pub(super) struct ShardCopy {
    pub(super) shard: Shard,
    /// The pool that each tenant's keyspace is accounted in: the current one, or the one before until the
    /// keyspace is next touched.
    pub(super) pools: BTreeMap<TenantId, Arc<Pool>>,
    pub(super) stream: Stream,
}

impl ShardCopy {
    /// An empty copy.
    pub(super) fn new(shard: Shard, stream: Stream) -> ShardCopy {
        ShardCopy { shard, pools: BTreeMap::new(), stream }
    }

    /// The shard and the circumstances for work on a tenant's keys, which are on `pool` afterwards whatever pool
    /// they were on before. `pool` is the tenant's current one, read while the partition is locked: so a
    /// partition never goes back to an older pool.
    pub(super) fn on<'a>(
        &'a mut self,
        tenant: TenantId,
        pool: &Arc<Pool>,
        now: Moment,
        rng: u64,
    ) -> (&'a mut Shard, Context<'a>) {
        let ShardCopy { shard, pools, .. } = self;
        let known = pools.entry(tenant).or_insert_with(|| pool.clone());
        let before = (!Arc::ptr_eq(known, pool)).then(|| std::mem::replace(known, pool.clone()));
        let cx = Context { tenant, now_ms: now.now_ms, tick: now.mono_us, rng, pool: known };
        if let Some(before) = before {
            shard.set_policy(&cx, &before);
        }
        (shard, cx)
    }

    /// The pool that a tenant's keys here belong to, by what the copy is used for; `None`: there is no such tenant.
    pub(super) fn pool<'a>(&self, table: &'a Table, tenant: TenantId) -> Option<&'a Arc<Pool>> {
        match &self.stream {
            Stream::Lead(_) => table.pool(tenant),
            Stream::Follow(_) => table.replicas(tenant),
        }
    }

    /// Its stream, if it is the primary's.
    pub(super) fn leading(&self) -> Option<&Leading> {
        match &self.stream {
            Stream::Lead(leading) => Some(leading),
            Stream::Follow(_) => None,
        }
    }

    /// Its stream, if it is the primary's.
    pub(super) fn leading_mut(&mut self) -> Option<&mut Leading> {
        match &mut self.stream {
            Stream::Lead(leading) => Some(leading),
            Stream::Follow(_) => None,
        }
    }

    /// Its stream, if it is a replica's.
    pub(super) fn following_mut(&mut self) -> Option<&mut Following> {
        match &mut self.stream {
            Stream::Follow(following) => Some(following),
            Stream::Lead(_) => None,
        }
    }
}

/// What the lock guards.
pub(super) struct Guarded {
    /// As last applied.
    pub(super) owner: Ownership,
    pub(super) copy: Option<ShardCopy>,
    /// One that is finished is dropped.
    pub(super) hand_over: Option<HandOver>,
    word: u64,
}

impl Guarded {
    /// What `predis_replica` decides requests by.
    pub(super) fn local(&self, identity: Life, lease_valid: bool, now_us: u64) -> Local {
        let hold = |hand_over: &HandOver| hand_over.hold(self.owner.epoch, now_us);
        Local {
            identity,
            lease_valid,
            hold: self.hand_over.as_ref().map_or(Hold::Open, hold),
            shard: self.leading().map(|leading| leading.lead.epoch()),
        }
    }

    /// What `predis_replica` decides about the copy by.
    pub(super) fn held(&self) -> Option<Held> {
        let drained = self.hand_over.as_ref().is_some_and(HandOver::is_drained);
        Some(match &self.copy.as_ref()?.stream {
            Stream::Lead(Leading { lead, .. }) => Held {
                epoch: lead.epoch(),
                lost: lead.members().lost,
                whole: true,
                clean: false,
                role: Role::Lead { drained },
            },
            Stream::Follow(following) => Held {
                epoch: following.follow.epoch(),
                lost: following.lost,
                whole: following.follow.is_whole(),
                clean: following.fresh.is_clean(&following.follow),
                role: Role::Follow,
            },
        })
    }

    /// The stream of a copy that is the primary's.
    pub(super) fn leading(&self) -> Option<&Leading> {
        self.copy.as_ref().and_then(ShardCopy::leading)
    }

    /// The stream of a copy that is the primary's in this epoch.
    pub(super) fn leading_in(&mut self, epoch: Epoch) -> Option<&mut Leading> {
        let leading = self.copy.as_mut().and_then(ShardCopy::leading_mut);
        leading.filter(|leading| leading.lead.epoch() == epoch)
    }

    /// Whether the copy is the primary's and everybody in sync has all that it has.
    pub(super) fn is_drained(&self) -> bool {
        self.leading().is_some_and(|leading| leading.lead.lag() == 0)
    }

    /// The copy, if this node may change it on its own account: the primary's, and not being given away.
    pub(super) fn own(&mut self) -> Option<&mut ShardCopy> {
        let stopped = self.hand_over.is_some();
        self.copy.as_mut().filter(|copy| !stopped && copy.leading().is_some())
    }

    /// A random word.
    pub(super) fn random(&mut self) -> u64 {
        self.word = mix64(self.word);
        self.word
    }
}

/// One partition as this node has it.
pub(super) struct Partition {
    pub(super) id: PartitionId,
    guarded: Mutex<Guarded>,
    /// Wakes the requests that a hand-over holds.
    pub(super) released: Notify,
    /// Wakes the replies that wait until what they saw is committed.
    pub(super) committed: Notify,
    /// Whether there is a hand-over: written under the lock, read without to find the few that move.
    pub(super) moving: AtomicBool,
}

impl Partition {
    /// A partition of which nothing is known yet. `word` seeds its random words.
    pub(super) fn new(id: PartitionId, word: u64) -> Partition {
        let guarded = Guarded { owner: Ownership::default(), copy: None, hand_over: None, word };
        Partition {
            id,
            guarded: Mutex::new(guarded),
            released: Notify::new(),
            committed: Notify::new(),
            moving: AtomicBool::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Guarded> {
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
