//! A connection to a member, watched until the member has said something.
//!
//! With TLS 1.3 whoever connects is done with the handshake before the other side has looked at its certificate: that
//! it was refused arrives as an alert in the place of the first bytes.

use super::{Outcome, Tls, connector::Complaints, words};
use predis_raft::BoxedStream;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// The connection.
pub(super) struct Watched {
    stream: TlsStream<BoxedStream>,
    /// Who wants to know; nobody any more once something was heard.
    waiting: Option<Waiting>,
}

struct Waiting {
    tls: Arc<Tls>,
    complaints: Arc<Complaints>,
    addr: String,
}

impl Watched {
    pub(super) fn new(
        stream: TlsStream<BoxedStream>,
        tls: Arc<Tls>,
        complaints: Arc<Complaints>,
        addr: String,
    ) -> Watched {
        Watched { stream, waiting: Some(Waiting { tls, complaints, addr }) }
    }
}

impl Waiting {
    /// The first that was heard: bytes, the end, or an error.
    fn heard(self, read: &io::Result<usize>) {
        let outcome = match read {
            Ok(0) => Outcome::Closed,
            Ok(_) => {
                self.complaints.forget(&self.addr);
                Outcome::Completed
            }
            Err(error) => {
                let (outcome, reason) = words::explain(error);
                self.complaints.log(&self.addr, &reason);
                outcome
            }
        };
        self.tls.handshakes.count(None, outcome);
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read =
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf)).map(|()| buf.filled().len() - before);
        if let Some(waiting) = this.waiting.take() {
            waiting.heard(&read);
        }
        Poll::Ready(read.map(|_| ()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
