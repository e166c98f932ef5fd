//! What a connection has yet to send and to be answered.
//!
//! Bytes and waiting calls are put in under one lock, so the order of one is the order of the other: a reply can only
//! reach the call whose bytes came in its place. Knows nothing of sockets.

use super::{Closed, End};
use bytes::BytesMut;
use predis_resp::{Reply, encode_command};
use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, futures::Notified, oneshot},
    time::Instant,
};

/// More unsent bytes than this make new calls wait.
const MOST_UNSENT_BYTES: usize = 16 * 1024 * 1024;

/// A buffer that grew beyond this is given back once it is sent.
const KEPT_BYTES: usize = 256 * 1024;

/// What becomes of a call that was put into the queue.
pub(crate) type Answer = Result<Reply, Broken>;

/// There is no answer, and there will be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Whether the whole of the command may have reached the node.
    pub(crate) sent: bool,
    /// How the connection ended.
    pub(crate) end: End,
}

struct Waiting {
    /// Where the command ends in all that was ever to be sent.
    ends_at: u64,
    due: Instant,
    answer: oneshot::Sender<Answer>,
}

struct Inner {
    open: bool,
    unsent: BytesMut,
    /// How many bytes were ever to be sent.
    pushed: u64,
    waiting: VecDeque<Waiting>,
    /// When the node was last heard.
    heard_at: Instant,
}

impl Inner {
    fn put(&mut self, command: &[&[u8]], due: Instant) -> oneshot::Receiver<Answer> {
        let before = self.unsent.len();
        encode_command(command, &mut self.unsent);
        self.pushed += (self.unsent.len() - before) as u64;
        let (answer, receiver) = oneshot::channel();
        self.waiting.push_back(Waiting { ends_at: self.pushed, due, answer });
        receiver
    }
}

/// The queue; the connection's driver empties it.
pub(crate) struct Queue {
    most_waiting: usize,
    inner: Mutex<Inner>,
    /// How many bytes the socket has taken.
    written: AtomicU64,
    filled: Notify,
    room: Notify,
}

impl Queue {
    /// An empty queue for at most so many unanswered calls.
    pub(crate) fn new(most_waiting: usize) -> Queue {
        let inner = Inner {
            open: true,
            unsent: BytesMut::new(),
            pushed: 0,
            waiting: VecDeque::new(),
            heard_at: Instant::now(),
        };
        Queue {
            most_waiting: most_waiting.max(1),
            inner: Mutex::new(inner),
            written: AtomicU64::new(0),
            filled: Notify::new(),
            room: Notify::new(),
        }
    }

    /// Puts a command in; `None` when there is no room yet.
    pub(super) fn push(
        &self,
        command: &[&[u8]],
        due: Instant,
    ) -> Result<Option<oneshot::Receiver<Answer>>, Closed> {
        let Some(mut inner) = self.enter(1)? else { return Ok(None) };
        let answer = inner.put(command, due);
        self.leave(inner);
        Ok(Some(answer))
    }

    /// Puts commands in, next to each other; `None` when there is no room yet. A run of commands larger than the queue
    /// is let in once the queue is empty.
    pub(super) fn push_run(
        &self,
        commands: &[Vec<&[u8]>],
        due: Instant,
    ) -> Result<Option<Vec<oneshot::Receiver<Answer>>>, Closed> {
        let Some(mut inner) = self.enter(commands.len())? else { return Ok(None) };
        let answers = commands.iter().map(|command| inner.put(command, due)).collect();
        self.leave(inner);
        Ok(Some(answers))
    }

    fn enter(&self, count: usize) -> Result<Option<MutexGuard<'_, Inner>>, Closed> {
        let inner = self.lock();
        if !inner.open {
            return Err(Closed);
        }
        let crowded = inner.waiting.len() + count > self.most_waiting && !inner.waiting.is_empty();
        Ok((!crowded && inner.unsent.len() <= MOST_UNSENT_BYTES).then_some(inner))
    }

    fn leave(&self, inner: MutexGuard<'_, Inner>) {
        drop(inner);
        // Remembered when the driver is not waiting: it looks again before it waits.
        self.filled.notify_one();
    }

    /// Resolves when there may be room. To be asked for before looking whether there is.
    pub(super) fn room(&self) -> Notified<'_> {
        self.room.notified()
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().open
    }

    /// Waits until there is something to send.
    pub(super) async fn filled(&self) {
        while self.lock().unsent.is_empty() {
            self.filled.notified().await;
        }
    }

    /// Everything that is to be sent, in exchange for a buffer whose bytes are sent.
    pub(super) fn take(&self, mut sent: BytesMut) -> BytesMut {
        if sent.capacity() > KEPT_BYTES {
            sent = BytesMut::new();
        }
        sent.clear();
        let taken = std::mem::replace(&mut self.lock().unsent, sent);
        self.room.notify_waiters();
        taken
    }

    /// The socket has taken so many more bytes.
    pub(super) fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The node was heard: it answered this. An error when it answers what nobody asked.
    pub(super) fn heard(&self, replies: &mut Vec<Reply>) -> Result<(), Closed> {
        let mut inner = self.lock();
        inner.heard_at = Instant::now();
        if replies.is_empty() {
            return Ok(());
        }
        if inner.waiting.len() < replies.len() {
            return Err(Closed);
        }
        let answered: Vec<Waiting> = inner.waiting.drain(..replies.len()).collect();
        drop(inner);
        self.room.notify_waiters();
        for (waiting, reply) in answered.into_iter().zip(replies.drain(..)) {
            // Whoever asked may have given up by now.
            let _ = waiting.answer.send(Ok(reply));
        }
        Ok(())
    }

    /// Whether the first call is overdue and the node was not heard for so long.
    pub(super) fn is_silent(&self, limit: Duration, now: Instant) -> bool {
        let inner = self.lock();
        inner.waiting.front().is_some_and(|first| first.due <= now && inner.heard_at + limit <= now)
    }

    /// Lets nothing more in. What is in there is still sent and answered.
    pub(super) fn retire(&self) {
        self.lock().open = false;
        self.room.notify_waiters();
    }

    /// Ends it: whoever waits learns that there is no answer. Whether anybody did.
    pub(crate) fn close(&self, end: End) -> bool {
        let mut inner = self.lock();
        inner.open = false;
        inner.unsent = BytesMut::new();
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        let written = self.written.load(Ordering::Relaxed);
        let any = !waiting.is_empty();
        for waiting in waiting {
            let sent = waiting.ends_at <= written;
            let _ = waiting.answer.send(Err(Broken { sent, end }));
        }
        self.room.notify_waiters();
        any
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
