//! One connection's bytes: read, decode, have a round executed, write.
//!
//! ```text
//! read -> up to 128 commands -> execute in order -> replies -> write all of it -> decode on, read on
//! ```
//! Nothing is read while there are whole commands to execute or replies to write, so what a client may make
//! this node hold is one buffer of requests and one of replies, however much it sends ahead. Knows nothing of
//! commands.

use super::Front;
use super::clients::Entered;
use super::session::Session;
use bytes::{Bytes, BytesMut};
use predis_raft::BoxedStream;
use predis_resp::{Limits, Protocol, ProtocolError, Reply, RequestDecoder};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, atomic::Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

/// The most commands executed before their replies are written.
const ROUND: usize = 128;

/// Room made for each read, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Replies are written before the round's end when there are more bytes of them than this.
const OUTPUT_BYTES: usize = 1024 * 1024;

/// A buffer of replies that grew beyond this is given back once it is written.
const KEPT_OUTPUT_BYTES: usize = 64 * 1024;

/// How much a client that is being closed may still have sent, and how long it may take to notice.
const LINGER_BYTES: usize = 4 * 1024 * 1024;
const LINGER: Duration = Duration::from_millis(500);

/// One connection.
pub(super) struct Connection {
    pub(super) front: Arc<Front>,
    pub(super) session: Arc<Session>,
    pub(super) output: BytesMut,
    stream: BoxedStream,
    input: BytesMut,
    decoder: RequestDecoder,
    stop: watch::Receiver<bool>,
    _entered: Entered,
}

/// Why a connection ends.
enum End {
    /// The client closed it, or it broke, or it was killed: nothing more can or may be said.
    Gone,
    /// All is said.
    Said,
}

impl Connection {
    pub(super) fn new(
        front: Arc<Front>,
        entered: Entered,
        stream: BoxedStream,
        stop: watch::Receiver<bool>,
    ) -> Connection {
        Connection {
            front,
            session: entered.session.clone(),
            output: BytesMut::new(),
            stream,
            input: BytesMut::new(),
            decoder: RequestDecoder::new(Limits::before_authentication()),
            stop,
            _entered: entered,
        }
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self) {
        let end = self.converse().await;
        self.front.serving.tracking.leave(&self.session);
        if let End::Said = end {
            linger(self.stream).await;
        }
    }

    async fn converse(&mut self) -> End {
        loop {
            let (requests, breach) = self.decode();
            if requests.is_empty() && breach.is_none() {
                match self.read().await {
                    Some(_) => continue,
                    // The client may be in the middle of sending: it shall read what it was answered before.
                    None if *self.stop.borrow() => return End::Said,
                    None => return End::Gone,
                }
            }
            if self.execute(requests).await.is_err() {
                return End::Gone;
            }
            if let Some(breach) = breach.filter(|_| !self.session.is_closing()) {
                self.say_breach(breach);
            }
            if self.write().await.is_err() || self.session.is_killed() {
                return End::Gone;
            }
            if self.session.is_closing() || *self.stop.borrow() {
                return End::Said;
            }
        }
    }

    /// The whole commands that have arrived, up to a round's worth, and the breach of the protocol behind them.
    /// Of nobody one at a time: it may be the one that says who it is, and then what follows may be larger.
    fn decode(&mut self) -> (Vec<Vec<Bytes>>, Option<ProtocolError>) {
        let known = self.session.identity().is_some();
        self.decoder.set_limits(if known { Limits::default() } else { Limits::before_authentication() });
        let mut requests = Vec::new();
        while requests.len() < if known { ROUND } else { 1 } {
            match self.decoder.decode(&mut self.input) {
                Ok(Some(args)) => requests.push(args),
                Ok(None) => break,
                Err(breach) => return (requests, Some(breach)),
            }
        }
        (requests, None)
    }

    fn say_breach(&mut self, breach: ProtocolError) {
        let reply = Reply::from(breach);
        if let Reply::Error(message) = &reply {
            self.front.stats.stripe(self.session.id).error(message);
        }
        reply.encode(self.session.protocol(), &mut self.output);
        self.session.close_after_replies();
    }

    /// Waits for more bytes, and tells the client meanwhile what it is to be told; `None` when the connection is to
    /// end instead.
    async fn read(&mut self) -> Option<usize> {
        let held = &self.session.held;
        let (query, room) = (self.input.len(), self.input.capacity() - self.input.len());
        held.query.store(query as u64, Relaxed);
        held.query_free.store(if query == 0 { 0 } else { room as u64 }, Relaxed);
        let read = tokio::select! {
            biased;
            () = self.session.killed() => return None,
            _ = self.stop.wait_for(|stop| *stop) => return None,
            () = self.session.pushed() => 0,
            read = fill(&mut self.stream, &mut self.input) => read.ok().filter(|bytes| *bytes > 0)?,
        };
        if read == 0 {
            return self.write().await.ok().map(|()| 0);
        }
        held.query_free.store((self.input.capacity() - self.input.len()) as u64, Relaxed);
        self.session.note_read(read, self.front.serving.clock.mono_us());
        let stripe = self.front.stats.stripe(self.session.id);
        stripe.net_in.fetch_add(read as u64, Relaxed);
        stripe.reads.fetch_add(1, Relaxed);
        Some(read)
    }

    /// Writes the replies so far if there are very many of them.
    pub(super) async fn relieve(&mut self) -> io::Result<()> {
        if self.output.len() < OUTPUT_BYTES { Ok(()) } else { self.flush().await }
    }

    /// Writes the replies, however long the client takes to accept them, unless the connection is killed.
    async fn write(&mut self) -> io::Result<()> {
        // Behind the replies: they may be what is not true any more.
        self.session.take_pushes(&mut self.output);
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let bytes = self.output.len();
        self.session.held.output.store(bytes as u64, Relaxed);
        tokio::select! {
            biased;
            () = self.session.killed() => return Err(io::ErrorKind::ConnectionAborted.into()),
            written = write_all(&mut self.stream, &self.output) => written?,
        }
        self.session.held.output.store(0, Relaxed);
        self.session.note_written(bytes);
        let stripe = self.front.stats.stripe(self.session.id);
        stripe.net_out.fetch_add(bytes as u64, Relaxed);
        stripe.writes.fetch_add(1, Relaxed);
        self.output.clear();
        if self.output.capacity() > KEPT_OUTPUT_BYTES {
            self.output = BytesMut::new();
        }
        Ok(())
    }
}

async fn write_all(stream: &mut BoxedStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads what there is behind what was read before. While an idle connection waits, it has no buffer.
async fn fill(stream: &mut BoxedStream, input: &mut BytesMut) -> io::Result<usize> {
    poll_fn(|cx| {
        input.reserve(READ_BYTES);
        let polled = pin!(stream.read_buf(input)).poll(cx);
        if polled.is_pending() && input.is_empty() {
            *input = BytesMut::new();
        }
        polled
    })
    .await
}

/// Tells a client why it is not served.
pub(super) async fn refuse(mut stream: BoxedStream, error: String) {
    let mut said = BytesMut::new();
    Reply::error(error).encode(Protocol::Resp2, &mut said);
    if let Ok(Ok(())) = tokio::time::timeout(LINGER, stream.write_all(&said)).await {
        linger(stream).await;
    }
}

/// Closes a connection so that what was said arrives: closing with unread bytes would make the kernel reset it,
/// and the client might lose the reply that it was about to read.
async fn linger(mut stream: BoxedStream) {
    let drain = async {
        let mut scratch = BytesMut::new();
        let mut left = LINGER_BYTES;
        if stream.shutdown().await.is_err() {
            return;
        }
        while left > 0 {
            scratch.clear();
            match fill(&mut stream, &mut scratch).await {
                Ok(read) if read > 0 => left = left.saturating_sub(read),
                _ => return,
            }
        }
    };
    // Either it has noticed by then, or it never will.
    let _ = tokio::time::timeout(LINGER, drain).await;
}
