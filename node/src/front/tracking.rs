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
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most keys that are remembered, over all partitions, as in Redis, and the most bytes they may have; beyond it,
/// clients are told that one changed.
const MOST_KEYS: usize = 1_000_000;
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Beyond how many readers of a key it is looked which of them are still there.
const CROWD: usize = 16;

/// Of each key of each tenant, the clients that read it.
#[derive(Default)]
struct Readers {
    keys: BTreeMap<(TenantId, Bytes), Vec<u64>>,
    /// How long the keys are together.
    bytes: usize,
}

/// A client that tracks.
#[derive(Clone)]
struct Client {
    session: Arc<Session>,
    /// Whose keys it reads; it tracks no more once it is of another tenant.
    tenant: TenantId,
    mode: Mode,
}

/// What every tracking client of one life of a node is told.
pub struct Tracking {
    partitions: Box<[Mutex<Readers>]>,
    /// How many clients track; while there are none, nothing costs anything.
    count: AtomicUsize,
    /// By the id that a client has from when it begins to track until it ends that. Ids never return, so the entries
    /// of whoever had one before are nobody's.
    clients: ArcSwap<BTreeMap<u64, Client>>,
    last_id: AtomicU64,
    changing: Mutex<()>,
    most_keys: usize,
    most_bytes: usize,
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
        let share = |most: usize| (most / usize::from(partitions.get())).max(1);
        Arc::new(Tracking {
            partitions: partitions.iter().map(|_| Mutex::default()).collect(),
            count: AtomicUsize::new(0),
            clients: ArcSwap::default(),
            last_id: AtomicU64::new(0),
            changing: Mutex::default(),
            most_keys: share(MOST_KEYS),
            most_bytes: share(MOST_BYTES),
        })
    }

    /// Has a client track in this manner from now on.
    pub(super) fn enter(&self, session: &Arc<Session>, mode: Mode) {
        let id = session.tracking_id().unwrap_or_else(|| self.last_id.fetch_add(1, Relaxed) + 1);
        let client = Client { session: session.clone(), tenant: session.tenant(), mode: mode.clone() };
        self.change(|clients| clients.insert(id, client));
        session.set_tracking(mode, id);
    }

    /// Has a client track no more.
    pub(super) fn leave(&self, session: &Session) {
        if let Some(id) = session.tracking_id() {
            session.end_tracking();
            self.change(|clients| clients.remove(&id));
        }
    }

    fn change(&self, edit: impl FnOnce(&mut BTreeMap<u64, Client>) -> Option<Client>) {
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
        for (id, keys) in told {
            if let Some(client) = clients.get(&id) {
                client.session.push(id, &invalidation(keys));
            }
        }
    }

    /// Tells those who hear of everything that begins as they said.
    fn broadcast(&self, tenant: TenantId, effects: &Effects) {
        for (id, client) in self.clients.load().iter().filter(|(_, client)| client.tenant == tenant) {
            let Some(prefixes) = &client.mode.broadcast else { continue };
            if effects.as_slice().contains(&Effect::Flush) {
                client.session.push(*id, &everything());
                continue;
            }
            let begins = |key: &&Bytes| prefixes.iter().any(|prefix| key.starts_with(prefix));
            let keys: Vec<Bytes> =
                effects.as_slice().iter().filter_map(Effect::key).filter(begins).cloned().collect();
            if !keys.is_empty() {
                client.session.push(*id, &invalidation(keys));
            }
        }
    }

    /// Notes a reader; where there is no more room, one of the tenant's keys goes, and those who read it are told.
    fn note(&self, readers: &mut Readers, tenant: TenantId, key: &Bytes, id: u64) {
        match readers.keys.get_mut(&(tenant, key.clone())) {
            Some(known) if known.contains(&id) => {}
            Some(known) => {
                if known.len() >= CROWD && known.len().is_power_of_two() {
                    let clients = self.clients.load();
                    known.retain(|id| clients.contains_key(id));
                }
                known.push(id);
            }
            None => {
                // Copied: the argument shares the memory of the buffer it was read into.
                readers.keys.insert((tenant, Bytes::copy_from_slice(key)), vec![id]);
                readers.bytes += key.len();
            }
        }
        while readers.keys.len() > self.most_keys || readers.bytes > self.most_bytes {
            let own = readers.keys.range((tenant, Bytes::new())..).next().map(|(key, _)| key.clone());
            let Some(own) = own.filter(|(of, _)| *of == tenant) else { return };
            let told = readers.take(&own).into_iter().map(|id| (id, vec![own.1.clone()]));
            self.tell(told.collect());
        }
    }
}

impl Readers {
    /// Takes a key out; those who read it.
    fn take(&mut self, key: &(TenantId, Bytes)) -> Vec<u64> {
        let ids = self.keys.remove(key);
        if ids.is_some() {
            self.bytes -= key.1.len();
        }
        ids.unwrap_or_default()
    }

    /// Takes all keys of a tenant out.
    fn take_all(&mut self, tenant: TenantId) -> BTreeMap<(TenantId, Bytes), Vec<u64>> {
        // A tenant's entries are next to each other.
        let mut own = self.keys.split_off(&(tenant, Bytes::new()));
        self.keys.append(&mut own.split_off(&(TenantId(tenant.0.saturating_add(1)), Bytes::new())));
        self.bytes -= own.keys().map(|(_, key)| key.len()).sum::<usize>();
        own
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
        let mut note = |key: &Bytes, ids: Vec<u64>| {
            ids.into_iter().for_each(|id| told.entry(id).or_default().push(key.clone()));
        };
        for effect in effects.as_slice() {
            match effect.key() {
                Some(key) => note(key, readers.take(&(tenant, key.clone()))),
                None => readers.take_all(tenant).into_iter().for_each(|((_, key), ids)| note(&key, ids)),
            }
        }
        tracking.tell(told);
        tracking.broadcast(tenant, effects);
    }

    fn read(&self, partition: PartitionId, tenant: TenantId, key: &Bytes, client: u64) {
        if let Some(mut readers) = self.0.readers(partition) {
            self.0.note(&mut readers, tenant, key, client);
        }
    }

    fn gone(&self, partition: PartitionId) {
        let Some(mut readers) = self.0.readers(partition) else { return };
        let mut told: BTreeMap<u64, Vec<Bytes>> = BTreeMap::new();
        for ((_, key), ids) in std::mem::take(&mut *readers).keys {
            ids.into_iter().for_each(|id| told.entry(id).or_default().push(key.clone()));
        }
        self.0.tell(told);
        for (id, client) in self.0.clients.load().iter().filter(|(_, client)| client.mode.broadcast.is_some())
        {
            client.session.push(*id, &everything());
        }
    }
}
