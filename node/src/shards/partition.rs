//! One partition on this node: who owns it, its shard and its hand-over, behind one lock.
//!
//! ```text
//!   Partition --lock--> Guarded { owner, served: (epoch, shard, the pools its keyspaces are on), hand_over }
//! ```
//! Nobody holds the locks of two partitions. Decides nothing: `predis_replica::access` does.

use predis_policy::Pool;
use predis_replica::{HandOver, Hold, Local, Ownership, Life};
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

/// A shard and what belongs to it.
pub(super) struct Served {
    /// The epoch that the shard belongs to.
    pub(super) epoch: Epoch,
    pub(super) shard: Shard,
    /// The pool that each tenant's keyspace is accounted in: the current one, or the one before until the
    /// keyspace is next touched.
    pub(super) pools: BTreeMap<TenantId, Arc<Pool>>,
}

impl Served {
    /// An empty shard.
    pub(super) fn new(epoch: Epoch, shard: Shard) -> Served {
        Served { epoch, shard, pools: BTreeMap::new() }
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
        let Served { shard, pools, .. } = self;
        let known = pools.entry(tenant).or_insert_with(|| pool.clone());
        let before = (!Arc::ptr_eq(known, pool)).then(|| std::mem::replace(known, pool.clone()));
        let cx = Context { tenant, now_ms: now.now_ms, tick: now.mono_us, rng, pool: known };
        if let Some(before) = before {
            shard.set_policy(&cx, &before);
        }
        (shard, cx)
    }

    /// Whether no tenant has a key here.
    pub(super) fn is_empty(&self) -> bool {
        self.shard.tenants().all(|tenant| self.shard.is_empty(tenant))
    }
}

/// What the lock guards.
pub(super) struct Guarded {
    /// As last applied.
    pub(super) owner: Ownership,
    pub(super) served: Option<Served>,
    /// One that is finished is dropped.
    pub(super) hand_over: Option<HandOver>,
    word: u64,
}

impl Guarded {
    /// What `predis_replica` decides by.
    pub(super) fn local(&self, identity: Life, lease_valid: bool, now_us: u64) -> Local {
        let hold = |hand_over: &HandOver| hand_over.hold(self.owner.epoch, now_us);
        Local {
            identity,
            lease_valid,
            hold: self.hand_over.as_ref().map_or(Hold::Open, hold),
            shard: self.served.as_ref().map(|served| served.epoch),
        }
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
    /// Whether there is a hand-over: written under the lock, read without to find the few that move.
    pub(super) moving: AtomicBool,
}

impl Partition {
    /// A partition of which nothing is known yet. `word` seeds its random words.
    pub(super) fn new(id: PartitionId, word: u64) -> Partition {
        let guarded = Guarded { owner: Ownership::default(), served: None, hand_over: None, word };
        Partition {
            id,
            guarded: Mutex::new(guarded),
            released: Notify::new(),
            moving: AtomicBool::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Guarded> {
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
