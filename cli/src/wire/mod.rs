//! RESP connections as a client has them: what `predis bench` and `predis demo` reach servers through.
//!
//! ```text
//! Dialer --connect, TLS, AUTH--> Wire --exchange(commands)--> replies, each with the moment it was read
//! ```
//! One connection answers in order; nothing is retried or redirected here. Does not know what is measured.

mod error;
mod slots;
mod wires;

pub(crate) use error::WireError;
pub(crate) use slots::SlotMap;
pub(crate) use wires::Wires;

use bytes::BytesMut;
use predis_client::{BoxedStream, Connector, Tcp, Tls};
use predis_resp::{Reply, ReplyDecoder, encode_command};
use predis_types::Secret;
use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Instant,
};
use tokio::io::{AsyncReadExt, AsyncWrite};

/// Room made for each read, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Who a connection authenticates as.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// The user; `None`: the one whose token it is.
    pub(crate) user: Option<String>,
    /// The token.
    pub(crate) token: Secret,
}

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialer {
    /// `None`: without TLS.
    pub(crate) tls: Option<Tls>,
    /// `None`: nobody in particular.
    pub(crate) credentials: Option<Credentials>,
}

/// One connection.
pub(crate) struct Wire {
    addr: String,
    stream: BoxedStream,
    input: BytesMut,
    decoder: ReplyDecoder,
}

impl Dialer {
    /// Connects to `host:port` and authenticates.
    pub(crate) async fn connect(&self, addr: &str) -> Result<Wire, WireError> {
        let addr = addr.to_owned();
        let connected = async {
            let stream = Tcp.connect(&addr).await?;
            match &self.tls {
                None => Ok(stream),
                Some(tls) => tls.resp(&addr, stream).await,
            }
        };
        let stream = match connected.await {
            Ok(stream) => stream,
            Err(source) => return Err(WireError::Connect { addr, source }),
        };
        let mut wire = Wire { addr, stream, input: BytesMut::new(), decoder: ReplyDecoder::default() };
        if let Some(credentials) = &self.credentials {
            wire.authenticate(credentials).await?;
        }
        Ok(wire)
    }
}

/// Whether the same request may be served in a moment, by this node or another.
pub(crate) fn is_passing(message: &str) -> bool {
    ["MOVED ", "CLUSTERDOWN ", "TRYAGAIN "].iter().any(|code| message.starts_with(code))
}

/// How far an exchange got.
enum Step {
    Wrote,
    Read(usize),
}

impl Wire {
    /// The server, `host:port`.
    pub(crate) fn addr(&self) -> &str {
        &self.addr
    }

    async fn authenticate(&mut self, credentials: &Credentials) -> Result<(), WireError> {
        let mut args = vec![&b"AUTH"[..]];
        args.extend(credentials.user.as_ref().map(|user| user.as_bytes()));
        args.push(credentials.token.expose().as_bytes());
        self.demand("AUTH", &args).await.map(|_| ())
    }

    /// The reply to one command.
    pub(crate) async fn call(&mut self, args: &[&[u8]]) -> Result<Reply, WireError> {
        let mut out = BytesMut::new();
        encode_command(args, &mut out);
        let mut answer = Reply::Null;
        self.exchange(&out, 1, |reply, _| answer = reply).await?;
        Ok(answer)
    }

    /// The reply to a command that must succeed; `what` names it in errors.
    pub(crate) async fn demand(&mut self, what: &'static str, args: &[&[u8]]) -> Result<Reply, WireError> {
        match self.call(args).await? {
            Reply::Error(message) => {
                let (addr, message) = (self.addr.clone(), message.into_owned());
                Err(WireError::Refused { addr, what, message })
            }
            reply => Ok(reply),
        }
    }

    /// Sends encoded commands and gives their replies, in order, to `each`, with the moment at which they were read.
    /// Reads while it writes, so that neither side waits for the other to take what it has.
    pub(crate) async fn exchange(
        &mut self,
        out: &[u8],
        commands: usize,
        mut each: impl FnMut(Reply, Instant),
    ) -> Result<(), WireError> {
        let (mut written, mut received) = (0, 0);
        while received < commands {
            let step = poll_fn(|cx| self.poll_step(cx, out, &mut written)).await;
            match step {
                Ok(Step::Wrote) => continue,
                Ok(Step::Read(0)) => return Err(WireError::Closed { addr: self.addr.clone() }),
                Ok(Step::Read(_)) => {}
                Err(source) => return Err(WireError::Broken { addr: self.addr.clone(), source }),
            }
            let now = Instant::now();
            while received < commands
                && let Some(reply) = self.decode()?
            {
                // A push answers nothing.
                if !matches!(reply, Reply::Push(_)) {
                    received += 1;
                    each(reply, now);
                }
            }
        }
        Ok(())
    }

    /// Writes what is left, or else reads.
    fn poll_step(&mut self, cx: &mut Context<'_>, out: &[u8], written: &mut usize) -> Poll<io::Result<Step>> {
        if *written < out.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &out[*written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(bytes)) => {
                    *written += bytes;
                    return Poll::Ready(Ok(Step::Wrote));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        // TLS keeps what was written until it is flushed.
        if let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        self.input.reserve(READ_BYTES);
        pin!(self.stream.read_buf(&mut self.input)).poll(cx).map_ok(Step::Read)
    }

    fn decode(&mut self) -> Result<Option<Reply>, WireError> {
        let decoded = self.decoder.decode(&mut self.input);
        decoded.map_err(|source| WireError::Protocol { addr: self.addr.clone(), source })
    }
}
