//! Who opens connections: the seam between gRPC clients and the network.
//!
//! Knows nothing of TLS or of what is sent.

use crate::disk::Pending;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection, whatever carries it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A connection of any kind.
pub type BoxedStream = Box<dyn Stream>;

/// Opens connections.
pub trait Connector: Send + Sync + 'static {
    /// Connects to `host:port`. The caller sets the time limit.
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>>;
}
