//! A listener that makes handshakes in the background, so that a slow or silent client delays nobody.
//!
//! ```text
//! inner.accept() --> up to MOST handshakes at a time, LIMIT each --> accept(): those that are done, in that order
//! ```
//! Handshakes belong to the listener: dropping a future of `accept` loses none, dropping the listener ends them.

use super::{Outcome, Port, Tls, peer, words};
use crate::io::{Incoming, Listener};
use predis_raft::{BoxedStream, Pending};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// The most handshakes at a time; further connections wait to be accepted.
pub(super) const MOST: usize = 512;

/// How long a handshake may take.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// How long a client is given to read why it was refused, and how much it may have sent meanwhile.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: u64 = 64 * 1024;

/// The listener.
pub(super) struct TlsListener {
    tls: Arc<Tls>,
    port: Port,
    inner: Box<dyn Listener>,
    under_way: JoinSet<Option<Incoming>>,
}

impl TlsListener {
    pub(super) fn new(tls: Arc<Tls>, port: Port, inner: Box<dyn Listener>) -> TlsListener {
        TlsListener { tls, port, inner, under_way: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn accept(&mut self) -> Pending<'_, io::Result<Incoming>> {
        Box::pin(async {
            loop {
                tokio::select! {
                    biased;
                    Some(ended) = self.under_way.join_next() => match ended {
                        Ok(Some(incoming)) => return Ok(incoming),
                        Ok(None) => {}
                        Err(error) => tracing::error!(%error, "a handshake's task failed"),
                    },
                    accepted = self.inner.accept(), if self.under_way.len() < MOST => {
                        self.under_way.spawn(shake(self.tls.clone(), self.port, accepted?));
                    }
                }
            }
        })
    }
}

/// One handshake; `None` when it failed.
async fn shake(tls: Arc<Tls>, port: Port, incoming: Incoming) -> Option<Incoming> {
    let Incoming { stream, addr, .. } = incoming;
    let config = tls.current.load().server(port);
    let accepting = TlsAcceptor::from(config).accept(stream).into_fallible();
    match tokio::time::timeout(LIMIT, accepting).await {
        Ok(Ok(stream)) => {
            tls.handshakes.count(Some(port), Outcome::Completed);
            let peer = peer::of(stream.get_ref().1.peer_certificates());
            Some(Incoming { stream: Box::new(stream), addr, peer })
        }
        Ok(Err((error, stream))) => {
            let (outcome, reason) = words::explain(&error);
            tls.failed(port, addr, outcome, &reason);
            if outcome != Outcome::Closed {
                linger(stream).await;
            }
            None
        }
        Err(_) => {
            tls.failed(port, addr, Outcome::TimedOut, &format!("no handshake within {LIMIT:?}"));
            None
        }
    }
}

/// Closes a connection so that the alert arrives: with unread bytes the kernel would reset it.
async fn linger(mut stream: BoxedStream) {
    let drain = async {
        if stream.shutdown().await.is_ok() {
            // Whether it goes or goes on talking, there is nothing more to say.
            let _ = tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await;
        }
    };
    let _ = tokio::time::timeout(LINGER, drain).await;
}
