//! Who opens connections: the seam between gRPC clients and the network.
//!
//! Knows nothing of TLS or of what is sent.

use super::courier::Courier;
use crate::disk::Pending;
use std::{io, sync::Arc};
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

    /// Who is given the calls that go over its connections: nobody, but in a simulation.
    fn courier(&self) -> Option<Arc<dyn Courier>> {
        None
    }
}
