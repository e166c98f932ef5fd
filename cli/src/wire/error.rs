//! What goes wrong between a client and a server. Each message names the server.

use predis_resp::ProtocolError;
use std::io;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// Nobody is there, or TLS was not agreed on.
    #[error("cannot connect to {addr}")]
    Connect {
        /// The server.
        addr: String,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection to {addr} broke")]
    Broken {
        /// The server.
        addr: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server closed the connection while replies were due.
    #[error("{addr} closed the connection")]
    Closed {
        /// The server.
        addr: String,
    },
    /// The server does not speak RESP.
    #[error("{addr} does not answer in the Redis protocol")]
    Protocol {
        /// The server.
        addr: String,
        /// What is wrong with its answer.
        source: ProtocolError,
    },
    /// The server answered a request that must succeed with an error.
    #[error("{addr} refused {what}: {message}")]
    Refused {
        /// The server.
        addr: String,
        /// Which request.
        what: &'static str,
        /// Its words.
        message: String,
    },
    /// The server's answer is not what it must be.
    #[error("{addr} answered {what} with something else than expected")]
    Unexpected {
        /// The server.
        addr: String,
        /// Which request.
        what: &'static str,
    },
}
