//! One client connection as the rest of the front sees it: who it is, what it chose, what it did, and how to
//! end it.
//!
//! Shared between the connection's own task, which writes it, and CLIENT LIST and KILL, which read it from
//! other connections. Knows nothing of sockets.

mod choices;
mod line;
mod told;

use super::proxy::{Caller, Upstream};
use super::tracking::Mode;
use crate::access::{Identity, OverQuota, Seat};
use arc_swap::{ArcSwapOption, Guard};
use bytes::{Bytes, BytesMut};
use predis_resp::{CommandId, Protocol};
use predis_types::{PartitionId, Secret, TenantId};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// By which of the node's ports a client came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The one for clients that know where keys live.
    Resp,
    /// The one for clients that do not.
    Proxy,
}

impl Door {
    /// The word by which it is listed.
    pub fn name(self) -> &'static str {
        match self {
            Door::Resp => "resp",
            Door::Proxy => "proxy",
        }
    }
}

/// What a client calls itself; empty when it did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    /// The connection's name.
    pub(super) name: Bytes,
    /// The client library's name.
    pub(super) lib_name: Bytes,
    /// The client library's version.
    pub(super) lib_ver: Bytes,
}

/// How much a connection holds, as of its last round.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Bytes read and not yet executed.
    pub(super) query: AtomicU64,
    /// Room in the read buffer beyond those.
    pub(super) query_free: AtomicU64,
    /// Bytes of replies not yet taken by the socket.
    pub(super) output: AtomicU64,
}

/// One connection.
pub(super) struct Session {
    /// Unique in the life of this node, ascending.
    pub(super) id: u64,
    /// Where the client is.
    pub(super) addr: SocketAddr,
    /// Where it was accepted.
    pub(super) local_addr: SocketAddr,
    /// When it was accepted, in microseconds of the node's monotonic clock.
    pub(super) created_us: u64,
    /// How it came in.
    pub(super) door: Door,
    /// How much it holds.
    pub(super) held: Held,
    /// Who it is; nobody before it has authenticated.
    identity: ArcSwapOption<Identity>,
    /// What it presents to other nodes, when it came in by the proxy.
    caller: Mutex<Caller>,
    /// Its place among its tenant's connections. Held while the identity changes.
    seat: Mutex<Option<Seat>>,
    /// Since when it is nobody, while it is.
    nameless_us: AtomicU64,
    labels: Mutex<Labels>,
    resp3: AtomicBool,
    readonly: AtomicBool,
    no_evict: AtomicBool,
    /// How it tracks; read for each command only while it does.
    tracking: ArcSwapOption<Mode>,
    /// By which the entries are known that it made since it began to track; 0 while it does not.
    tracking_id: AtomicU64,
    caching_next: AtomicBool,
    /// Where it wrote since it last waited for replicas.
    written: Mutex<BTreeSet<PartitionId>>,
    /// What it is to be told besides replies, encoded.
    pushes: Mutex<BytesMut>,
    pushed: Notify,
    active_us: AtomicU64,
    last_command: AtomicU64,
    net_in: AtomicU64,
    net_out: AtomicU64,
    commands: AtomicU64,
    closing: AtomicBool,
    killed: AtomicBool,
    kill: Notify,
}

/// In `last_command`: none yet.
const NO_COMMAND: u64 = u64::MAX;

impl Session {
    /// A connection that was accepted now, of nobody yet.
    pub(super) fn new(id: u64, door: Door, addr: SocketAddr, local_addr: SocketAddr, now_us: u64) -> Session {
        Session {
            id,
            addr,
            local_addr,
            created_us: now_us,
            door,
            held: Held::default(),
            identity: ArcSwapOption::empty(),
            caller: Mutex::default(),
            seat: Mutex::default(),
            nameless_us: AtomicU64::new(now_us),
            labels: Mutex::default(),
            resp3: AtomicBool::new(false),
            readonly: AtomicBool::new(false),
            no_evict: AtomicBool::new(false),
            tracking: ArcSwapOption::empty(),
            tracking_id: AtomicU64::new(0),
            caching_next: AtomicBool::new(false),
            written: Mutex::default(),
            pushes: Mutex::default(),
            pushed: Notify::new(),
            active_us: AtomicU64::new(now_us),
            last_command: AtomicU64::new(NO_COMMAND),
            net_in: AtomicU64::new(0),
            net_out: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            killed: AtomicBool::new(false),
            kill: Notify::new(),
        }
    }

    /// Notes that it wrote to a partition.
    pub(super) fn note_write(&self, partition: PartitionId) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(partition);
    }

    /// Where it wrote since this was last asked.
    pub(super) fn take_written(&self) -> BTreeSet<PartitionId> {
        std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who it is; `None` before it has authenticated.
    pub(super) fn identity(&self) -> Guard<Option<Arc<Identity>>> {
        self.identity.load()
    }

    /// Whose keys its commands mean. Nobody's commands mean any.
    pub(super) fn tenant(&self) -> TenantId {
        self.identity().as_ref().map_or_else(TenantId::default, |identity| identity.tenant)
    }

    /// The partition of all keys of its tenant, when they are kept together.
    pub(super) fn home(&self) -> Option<PartitionId> {
        self.identity().as_ref().and_then(|identity| identity.gate.colocated)
    }

    /// The user's name; empty before it has authenticated.
    pub(super) fn user(&self) -> Arc<str> {
        self.identity().as_ref().map_or_else(|| Arc::from(""), |identity| identity.user.clone())
    }

    /// Acts as somebody from now on.
    ///
    /// # Errors
    /// When that somebody's tenant has no connection to spare; then it is who it was.
    pub(super) fn assume(&self, identity: Arc<Identity>) -> Result<(), OverQuota> {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut seat, identity)
    }

    /// The token that it authenticated with; kept only where it has to be presented to other nodes.
    pub(super) fn token(&self) -> Option<Secret> {
        self.caller().token.clone()
    }

    /// Keeps the token, or forgets the one before, and with it the way to other nodes.
    pub(super) fn set_token(&self, token: Option<Secret>) {
        if self.door == Door::Proxy {
            *self.caller() = Caller { token, upstream: None };
        }
    }

    /// Its way to other nodes, once it has one.
    pub(super) fn upstream(&self) -> Option<Arc<Upstream>> {
        self.caller().upstream.clone()
    }

    pub(super) fn set_upstream(&self, upstream: Option<Arc<Upstream>>) {
        self.caller().upstream = upstream;
    }

    fn caller(&self) -> MutexGuard<'_, Caller> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what has become of the identity that it was `before`; without effect when it is another by now.
    ///
    /// # Errors
    /// As [`Session::assume`].
    pub(super) fn renew(&self, before: &Arc<Identity>, now: Arc<Identity>) -> Result<(), OverQuota> {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_still(before) {
            self.settle(&mut seat, now)?;
        }
        Ok(())
    }

    /// Whether it is who it was.
    pub(super) fn is_still(&self, before: &Arc<Identity>) -> bool {
        self.identity().as_ref().is_some_and(|now| Arc::ptr_eq(now, before))
    }

    fn settle(&self, seat: &mut Option<Seat>, identity: Arc<Identity>) -> Result<(), OverQuota> {
        let seated = self.identity().as_ref().is_some_and(|now| Arc::ptr_eq(&now.gate, &identity.gate));
        if !seated {
            *seat = Some(identity.gate.enter()?);
        }
        self.identity.store(Some(identity));
        Ok(())
    }

    /// Is nobody from now on.
    fn forget(&self, now_us: u64) {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        self.nameless_us.store(now_us, Relaxed);
        self.identity.store(None);
        *seat = None;
    }

    /// For how long it has been nobody, in microseconds; only while it is.
    pub(super) fn nameless_for_us(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.nameless_us.load(Relaxed))
    }

    /// What it calls itself.
    pub(super) fn labels(&self) -> MutexGuard<'_, Labels> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Back to how it was accepted; the library's name and version stay, as in Redis. It is `anonymous` again, or
    /// nobody.
    ///
    /// # Errors
    /// When the anonymous one's tenant has no connection to spare; then it is nobody.
    pub(super) fn reset(&self, anonymous: Option<Arc<Identity>>, now_us: u64) -> Result<(), OverQuota> {
        self.set_protocol(Protocol::Resp2);
        self.set_readonly(false);
        self.set_no_evict(false);
        self.labels().name = Bytes::new();
        self.set_token(None);
        let assumed = match anonymous {
            Some(anonymous) => self.assume(anonymous),
            None => {
                self.forget(now_us);
                Ok(())
            }
        };
        assumed.inspect_err(|_| self.forget(now_us))
    }

    /// Counts a command that it sent.
    pub(super) fn note_command(&self, id: CommandId) {
        self.last_command.store(id as u64, Relaxed);
        self.commands.fetch_add(1, Relaxed);
    }

    /// Counts bytes received at a moment of the monotonic clock.
    pub(super) fn note_read(&self, bytes: usize, now_us: u64) {
        self.net_in.fetch_add(bytes as u64, Relaxed);
        self.active_us.store(now_us, Relaxed);
    }

    /// Counts bytes sent.
    pub(super) fn note_written(&self, bytes: usize) {
        self.net_out.fetch_add(bytes as u64, Relaxed);
    }

    /// For how long it has sent nothing, in microseconds.
    pub(super) fn idle_us(&self, now_us: u64) -> u64 {
        now_us.saturating_sub(self.active_us.load(Relaxed))
    }

    /// Has the connection closed once the replies so far are written.
    pub(super) fn close_after_replies(&self) {
        self.closing.store(true, Relaxed);
    }

    /// Whether nothing more is to be executed.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Relaxed) || self.killed.load(Acquire)
    }

    /// Ends the connection, from any thread, whatever it waits for.
    pub(super) fn kill(&self) {
        self.killed.store(true, Release);
        self.kill.notify_one();
    }

    /// Whether it is to end without waiting for anything.
    pub(super) fn is_killed(&self) -> bool {
        self.killed.load(Acquire)
    }

    /// Resolves when it is killed. For the connection's own task alone.
    pub(super) async fn killed(&self) {
        while !self.is_killed() {
            self.kill.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new(7, Door::Resp, ([127, 0, 0, 1], 50_000).into(), ([127, 0, 0, 1], 6379).into(), 1_000_000)
    }

    fn described(session: &Session, now_us: u64) -> String {
        let mut out = Vec::new();
        session.describe(now_us, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_line_tells_what_was_chosen_and_reset_forgets_it() {
        let session = session();
        session.labels().name = Bytes::from_static(b"worker");
        session.labels().lib_name = Bytes::from_static(b"lib");
        session.set_protocol(Protocol::Resp3);
        session.set_readonly(true);
        session.set_no_evict(true);
        session.note_command(CommandId::ClientInfo);
        session.note_read(10, 3_000_000);
        let line = described(&session, 5_500_000);
        for part in [
            "id=7 addr=127.0.0.1:50000 laddr=127.0.0.1:6379 ",
            " name=worker age=4 idle=2 flags=re ",
            " cmd=client|info ",
            " resp=3 tot-net-in=10 ",
            " lib-name=lib lib-ver=",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        session.reset(None, 0).unwrap();
        let line = described(&session, 5_500_000);
        assert!(line.contains(" name= age=4 idle=2 flags=N "), "{line}");
        assert!(line.contains(" resp=2 ") && line.contains(" lib-name=lib "), "{line}");
    }

    #[tokio::test]
    async fn a_kill_is_noticed_whenever_it_comes() {
        let session = session();
        assert!(!session.is_closing());
        session.kill();
        session.killed().await;
        assert!(session.is_closing() && session.is_killed());
    }
}
