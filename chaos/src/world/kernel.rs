//! The network stack of one simulated machine: carries bytes between its process and turmoil's TCP.
//!
//! ```text
//! process, on a runtime of its own <== pipes ==> kernel, on turmoil's <== TCP ==> other machines
//! ```
//! It goes on when the process does not: what arrives for a process that stands still is accepted and waits. Knows
//! nothing of what is sent.

use bytes::{Bytes, BytesMut};
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf},
    sync::{mpsc, oneshot},
    time::Instant,
};
use turmoil::net::{TcpListener, TcpStream, tcp::OwnedWriteHalf};

/// How many bytes wait in a socket for the process to read them, or for the network to take them.
const SOCKET_BYTES: usize = 64 << 10;

/// How many bytes of it are sent at once, at most. Whatever a process writes together must go together: were it cut into
/// small pieces, their number, and with it all that comes after, would depend on what little of it is real, such as
/// the date that hyper's answers bear.
const SEGMENT_BYTES: usize = 32 << 10;

/// A connection that was accepted, and where it comes from.
pub(super) type Accepted = (DuplexStream, SocketAddr);

/// What a process asks of its machine.
pub(super) enum Call {
    /// To connect to `host:port`.
    Connect { addr: String, answer: oneshot::Sender<io::Result<DuplexStream>> },
    /// To listen on `host:port`, for as long as the connections are received.
    Bind {
        addr: String,
        answer: oneshot::Sender<io::Result<(SocketAddr, mpsc::UnboundedReceiver<Accepted>)>>,
    },
}

/// How late a machine sends what its process has written.
#[derive(Clone, Debug, Default)]
pub(super) struct Egress(Arc<AtomicU64>);

impl Egress {
    /// Sets the delay of what is written from now on.
    pub(super) fn set(&self, delay: Duration) {
        self.0.store(delay.as_millis() as u64, Ordering::Relaxed);
    }

    fn delay(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Serves a process for as long as the machine is on.
pub(super) async fn run(mut calls: mpsc::UnboundedReceiver<Call>, egress: Egress) -> turmoil::Result {
    while let Some(call) = calls.recv().await {
        match call {
            Call::Connect { addr, answer } => tokio::spawn(connect(addr, answer, egress.clone())),
            Call::Bind { addr, answer } => tokio::spawn(listen(addr, answer, egress.clone())),
        };
    }
    std::future::pending().await
}

async fn connect(addr: String, mut answer: oneshot::Sender<io::Result<DuplexStream>>, egress: Egress) {
    let connected = tokio::select! {
        biased;
        () = answer.closed() => return,
        connected = TcpStream::connect(addr) => connected,
    };
    match connected {
        Err(error) => drop(answer.send(Err(error))),
        Ok(tcp) => {
            let (theirs, ours) = tokio::io::duplex(SOCKET_BYTES);
            if answer.send(Ok(theirs)).is_ok() {
                carry(tcp, ours, egress).await;
            }
        }
    }
}

async fn listen(
    addr: String,
    answer: oneshot::Sender<io::Result<(SocketAddr, mpsc::UnboundedReceiver<Accepted>)>>,
    egress: Egress,
) {
    let bound = TcpListener::bind(addr).await;
    let (listener, local) = match bound.and_then(|bound| bound.local_addr().map(|local| (bound, local))) {
        Ok(bound) => bound,
        Err(error) => return drop(answer.send(Err(error))),
    };
    let (accepted, wanted) = mpsc::unbounded_channel();
    if answer.send(Ok((local, wanted))).is_err() {
        return;
    }
    loop {
        let incoming = tokio::select! {
            biased;
            () = accepted.closed() => return,
            incoming = listener.accept() => incoming,
        };
        let Ok((tcp, peer)) = incoming else { return };
        let (theirs, ours) = tokio::io::duplex(SOCKET_BYTES);
        if accepted.send((theirs, peer)).is_err() {
            return;
        }
        tokio::spawn(carry(tcp, ours, egress.clone()));
    }
}

/// Carries bytes both ways until the process closes its end or the connection breaks.
async fn carry(tcp: TcpStream, pipe: DuplexStream, egress: Egress) {
    let (mut arriving, leaving) = tcp.into_split();
    let (from_process, mut to_process) = tokio::io::split(pipe);
    let inbound = async {
        if tokio::io::copy(&mut arriving, &mut to_process).await.is_ok() {
            // The other side has nothing more to say; it may still listen.
            let _ = to_process.shutdown().await;
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = inbound => {}
        () = send(from_process, leaving, egress) => {}
    }
}

/// Sends what the process writes, each piece as late as the machine is slow.
async fn send(mut from_process: ReadHalf<DuplexStream>, mut leaving: OwnedWriteHalf, egress: Egress) {
    let mut late: VecDeque<(Instant, Bytes)> = VecDeque::new();
    let mut buffer = BytesMut::new();
    let mut open = true;
    while open || !late.is_empty() {
        buffer.reserve(SEGMENT_BYTES);
        let due = late.front().map_or_else(Instant::now, |(due, _)| *due);
        let bytes = tokio::select! {
            biased;
            () = tokio::time::sleep_until(due), if !late.is_empty() => late.pop_front().map(|(_, bytes)| bytes),
            read = from_process.read_buf(&mut buffer), if open => {
                open = read.is_ok_and(|read| read > 0);
                let (bytes, delay) = (buffer.split().freeze(), egress.delay());
                if delay.is_zero() && late.is_empty() {
                    Some(bytes)
                } else {
                    // In order: a machine that has grown fast again does not overtake itself.
                    let due = (Instant::now() + delay).max(late.back().map_or(due, |(due, _)| *due));
                    late.push_back((due, bytes));
                    None
                }
            }
        };
        if let Some(bytes) = bytes
            && leaving.write_all(&bytes).await.is_err()
        {
            return;
        }
    }
    let _ = leaving.shutdown().await;
}
