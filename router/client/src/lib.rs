//! The smart client: routes by slot over a watched topology, pipelines, retries what may be retried.
//!
//! ```text
//! Client --plan--> whole, in pieces, or to every partition
//!          |
//!          v
//!        core: where (routing) -> connection (upstream) -> answer (redirect) -> again, or done
//!                 ^                   |
//!   follow: views over gRPC           '-> connection/: one write for all calls that are waiting, replies in order
//!                                                         '-- what nodes say has changed --> near/: copies of values
//! ```
//! Knows nothing of Raft or of storage. Runs on tokio and takes connections and randomness as parameters where they
//! are given ([`Client::with_parts`]), so that it can be simulated and embedded.

mod admin;
mod all_keys;
mod breaker;
mod client;
mod command;
mod commands;
mod connection;
mod core;
mod credentials;
mod error;
mod follow;
mod near;
mod net;
mod one_node;
mod pieces;
mod plan;
mod redirect;
mod retry;
mod routing;
mod settings;
mod tls;
mod upstream;
mod view;

pub use admin::{AdminChannel, Bearer, ConnectError, connect_admin};
pub use client::{Client, Parts};
pub use command::Command;
pub use commands::{Expiry, SetOptions};
pub use credentials::Credentials;
pub use error::{CallError, Setback};
pub use net::{BoxedStream, Connecting, Connector, Stream, Tcp};
pub use predis_resp::Reply;
pub use settings::{BreakerSettings, Config, NearSettings, ReadFrom, RetrySettings, Settings};
pub use tls::{Tls, TlsError};
pub use view::{BadView, View};

#[cfg(test)]
mod tests;
