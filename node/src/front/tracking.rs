//! Who keeps copies of which keys, and what has to be told when one changes (CLIENT TRACKING).
//!
//! ```text
//! a read by a tracking client --under the partition's lock--> table: key -> clients
//! an effect on the key        --under the same lock---------> a push to each of them, and the entry goes
//! ```
//! Both happen under the lock of the key's partition, so no change falls between a read and its entry. A client that
//! broadcasts has no entries: it hears of every key with one of its prefixes. What a client is told is queued on its
//! session and written behind the replies of the round under way, so an invalidation never overtakes the reply that
//! it makes stale. Knows nothing of sockets.

use super::session::Session;
use crate::shards::Sink;
use arc_swap::ArcSwap;
use bytes::Bytes;
use predis_resp::Reply;
use predis_shard::{Effect, Effects};
use predis_types::{Epoch, PartitionCount, PartitionId, TenantId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most keys that are remembered, over all partitions, as in Redis; beyond it, clients are told that one changed.
const MOST_KEYS: usize = 1_000_000;

/// Of each key of each tenant, the clients that read it.
type Readers = BTreeMap<(TenantId, Bytes), Vec<u64>>;

/// What every tracking client of one life of a node is told.
pub struct Tracking {
    partitions: Box<[Mutex<Readers>]>,
    /// How many clients track; while there are none, nothing costs anything.
    count: AtomicUsize,
    clients: ArcSwap<BTreeMap<u64, Arc<Session>>>,
    changing: Mutex<()>,
    most_keys: usize,
}

/// How a client tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    /// It hears of all keys with one of these prefixes, whether it read them or not.
    pub(super) broadcast: Option<Vec<Bytes>>,
    /// Only reads right behind CLIENT CACHING YES count.
    pub(super) opt_in: bool,
    /// Reads right behind CLIENT CACHING NO do not count.
    pub(super) opt_out: bool,
}

impl Tracking {
    /// Nobody tracks yet.
    pub fn new(partitions: PartitionCount) -> Arc<Tracking> {
        Tracking::with_room(partitions, MOST_KEYS)
    }

    fn with_room(partitions: PartitionCount, most_keys: usize) -> Arc<Tracking> {
        Arc::new(Tracking {
            partitions: partitions.iter().map(|_| Mutex::default()).collect(),
            count: AtomicUsize::new(0),
            clients: ArcSwap::default(),
            changing: Mutex::default(),
            most_keys: (most_keys / usize::from(partitions.get())).max(1),
        })
    }

    /// Adds a client.
    pub(super) fn enter(&self, session: &Arc<Session>) {
        self.change(|clients| clients.insert(session.id, session.clone()));
    }

    /// Takes a client out; its entries go when their keys change.
    pub(super) fn leave(&self, client: u64) {
        if self.clients.load().contains_key(&client) {
            self.change(|clients| clients.remove(&client));
        }
    }

    fn change(&self, edit: impl FnOnce(&mut BTreeMap<u64, Arc<Session>>) -> Option<Arc<Session>>) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clients = BTreeMap::clone(&self.clients.load());
        edit(&mut clients);
        self.count.store(clients.len(), Relaxed);
        self.clients.store(Arc::new(clients));
    }

    /// How many clients track.
    pub fn client_count(&self) -> usize {
        self.count.load(Relaxed)
    }

    fn readers(&self, partition: PartitionId) -> Option<MutexGuard<'_, Readers>> {
        let readers = self.partitions.get(usize::from(partition.0))?;
        Some(readers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells each client of the keys that concern it.
    fn tell(&self, told: BTreeMap<u64, Vec<Bytes>>) {
        let clients = self.clients.load();
        for (client, keys) in told {
            if let Some(session) = clients.get(&client) {
                session.push(&invalidation(keys));
            }
        }
    }

    /// Tells those who hear of everything that begins as they said.
    fn broadcast(&self, tenant: TenantId, effects: &Effects) {
        for session in self.clients.load().values() {
            let Some(Mode { broadcast: Some(prefixes), .. }) = session.tracking() else { continue };
            if session.tenant() != tenant {
                continue;
            }
            if effects.as_slice().contains(&Effect::Flush) {
                session.push(&everything());
                continue;
            }
            let begins = |key: &&Bytes| prefixes.iter().any(|prefix| key.starts_with(prefix));
            let keys: Vec<Bytes> =
                effects.as_slice().iter().filter_map(Effect::key).filter(begins).cloned().collect();
            if !keys.is_empty() {
                session.push(&invalidation(keys));
            }
        }
    }
}

/// `invalidate`, and the keys.
fn invalidation(keys: Vec<Bytes>) -> Reply {
    Reply::Push(vec![Reply::text("invalidate"), Reply::Array(keys.into_iter().map(Reply::Bulk).collect())])
}

/// `invalidate`, and nothing: whatever is kept is old.
fn everything() -> Reply {
    Reply::Push(vec![Reply::text("invalidate"), Reply::Null])
}

/// The table as the shards know it.
pub struct TrackingSink(pub Arc<Tracking>);

impl Sink for TrackingSink {
    fn effects(&self, partition: PartitionId, _: Epoch, tenant: TenantId, effects: &Effects) {
        let tracking = &self.0;
        if tracking.client_count() == 0 {
            return;
        }
        let Some(mut readers) = tracking.readers(partition) else { return };
        let mut told: BTreeMap<u64, Vec<Bytes>> = BTreeMap::new();
        let mut note = |key: Bytes, clients: Vec<u64>| {
            clients.into_iter().for_each(|client| told.entry(client).or_default().push(key.clone()));
        };
        for effect in effects.as_slice() {
            match effect.key() {
                Some(key) => {
                    if let Some(clients) = readers.remove(&(tenant, key.clone())) {
                        note(key.clone(), clients);
                    }
                }
                None => {
                    // A tenant's entries are next to each other.
                    let mut own = readers.split_off(&(tenant, Bytes::new()));
                    readers.append(&mut own.split_off(&(TenantId(tenant.0.saturating_add(1)), Bytes::new())));
                    own.into_iter().for_each(|((_, key), clients)| note(key, clients));
                }
            }
        }
        tracking.tell(told);
        tracking.broadcast(tenant, effects);
    }

    fn read(&self, partition: PartitionId, tenant: TenantId, key: &Bytes, client: u64) {
        let Some(mut readers) = self.0.readers(partition) else { return };
        // Copied: the argument shares the memory of the buffer it was read into.
        let entry = readers.entry((tenant, Bytes::copy_from_slice(key))).or_default();
        if !entry.contains(&client) {
            entry.push(client);
        }
        if readers.len() > self.0.most_keys
            && let Some(((_, key), clients)) = readers.pop_first()
        {
            self.0.tell(clients.into_iter().map(|client| (client, vec![key.clone()])).collect());
        }
    }

    fn gone(&self, partition: PartitionId) {
        let Some(mut readers) = self.0.readers(partition) else { return };
        let mut told: BTreeMap<u64, Vec<Bytes>> = BTreeMap::new();
        for ((_, key), clients) in std::mem::take(&mut *readers) {
            clients.into_iter().for_each(|client| told.entry(client).or_default().push(key.clone()));
        }
        self.0.tell(told);
        for session in self.0.clients.load().values() {
            if session.tracking().is_some_and(|mode| mode.broadcast.is_some()) {
                session.push(&everything());
            }
        }
    }
}
