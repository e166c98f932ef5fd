//! Who is connected: the registry behind CLIENT LIST, CLIENT KILL and the limit on connections.

use super::session::{Door, Session};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections that are open, by id.
#[derive(Default)]
pub(super) struct Clients {
    open: Mutex<BTreeMap<u64, Arc<Session>>>,
    last_id: AtomicU64,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Session>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a connection unless there are `limit` already.
    pub(super) fn enter(
        self: &Arc<Self>,
        door: Door,
        (addr, local_addr): (SocketAddr, SocketAddr),
        now_us: u64,
        limit: usize,
    ) -> Option<Entered> {
        let mut open = self.lock();
        if open.len() >= limit {
            return None;
        }
        let id = self.last_id.fetch_add(1, Relaxed) + 1;
        let session = Arc::new(Session::new(id, door, addr, local_addr, now_us));
        open.insert(id, session.clone());
        Some(Entered { clients: self.clone(), session })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// All of them, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.lock().values().cloned().collect()
    }
}

/// A connection's place in the registry, given up when dropped.
pub(super) struct Entered {
    clients: Arc<Clients>,
    /// The connection.
    pub(super) session: Arc<Session>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.clients.lock().remove(&self.session.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back_and_ids_never_return() {
        let clients = Arc::new(Clients::default());
        let addr: SocketAddr = ([127, 0, 0, 1], 1).into();
        let enter = || clients.enter(Door::Resp, (addr, addr), 0, 2);
        let (first, second) = (enter().unwrap(), enter().unwrap());
        assert!(enter().is_none());
        drop(first);
        let third = enter().unwrap();
        let ids: Vec<u64> = clients.all().iter().map(|session| session.id).collect();
        assert_eq!(ids, [second.session.id, third.session.id]);
        assert_eq!(ids, [2, 3]);
    }
}
