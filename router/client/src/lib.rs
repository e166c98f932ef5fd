//! The smart client: routes by slot over a watched topology, pipelines, retries what may be retried.
//!
//! Knows nothing of Raft or of storage.

mod admin;
mod net;
mod tls;

pub use admin::{AdminChannel, Bearer, ConnectError, connect_admin};
pub use net::{BoxedStream, Connecting, Connector, Stream, Tcp};
pub use tls::{Tls, TlsError};

#[cfg(test)]
mod tests;
