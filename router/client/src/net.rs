//! How connections come to be: a trait, and TCP as the operating system has it.
//!
//! Knows nothing of TLS or of what is sent.

use std::{future::Future, io, pin::Pin};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// Bytes both ways, whatever carries them.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A connection of any kind.
pub type BoxedStream = Box<dyn Stream>;

/// A connection on its way.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<BoxedStream>> + Send>>;

/// Opens connections.
pub trait Connector: Send + Sync + 'static {
    /// Connects to `host:port`. The caller sets the time limit.
    fn connect(&self, addr: &str) -> Connecting;
}

/// TCP of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connector for Tcp {
    fn connect(&self, addr: &str) -> Connecting {
        let addr = addr.to_owned();
        Box::pin(async move {
            let stream = TcpStream::connect(addr).await?;
            // What is written is a whole batch already: there is nothing to wait for.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxedStream)
        })
    }
}

/// The host of `host:port`, an IPv6 address without its brackets.
pub(crate) fn host_of(addr: &str) -> &str {
    let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}
