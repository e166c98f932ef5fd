//! How handshakes ended, counted by port, and told to those who want to know.

use super::Tls;
use crate::access::{Reason, Refusal};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// A port that clients or members connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// RESP.
    Resp,
    /// RESP, for clients that know nothing of clusters.
    Proxy,
    /// gRPC.
    Grpc,
    /// Metrics and health.
    Metrics,
}

impl Port {
    /// Its name in logs, metrics and refusals.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Port::Resp => "resp",
            Port::Proxy => "proxy",
            Port::Grpc => "grpc",
            Port::Metrics => "metrics",
        }
    }
}

/// The label of connections that this node opens to members.
const MEMBERS: &str = "members";

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The connection is up.
    Completed,
    /// The certificate of the other side was missing or not accepted.
    Refused,
    /// The other side ended it with an alert, for instance because it does not trust this node's certificate.
    Rejected,
    /// What was said is not TLS, or no version or cipher suite is common.
    Protocol,
    /// The connection broke or was closed.
    Closed,
    /// It took too long.
    TimedOut,
}

impl Outcome {
    const ALL: [Outcome; 6] = [
        Outcome::Completed,
        Outcome::Refused,
        Outcome::Rejected,
        Outcome::Protocol,
        Outcome::Closed,
        Outcome::TimedOut,
    ];

    fn name(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Refused => "refused",
            Outcome::Rejected => "rejected",
            Outcome::Protocol => "protocol",
            Outcome::Closed => "closed",
            Outcome::TimedOut => "timed_out",
        }
    }
}

/// Counts by port; those of the connections to members come last.
#[derive(Default)]
pub(crate) struct Handshakes([[AtomicU64; Outcome::ALL.len()]; 5]);

impl Handshakes {
    fn row(port: Option<Port>) -> usize {
        port.map_or(4, |port| port as usize)
    }

    /// Counts one; without a port it is one that this node began with a member.
    pub(super) fn count(&self, port: Option<Port>, outcome: Outcome) {
        self.0[Self::row(port)][outcome as usize].fetch_add(1, Relaxed);
    }

    /// Port, outcome and count of each that there was.
    pub(crate) fn counts(&self) -> Vec<(&'static str, &'static str, u64)> {
        let ports = [Some(Port::Resp), Some(Port::Proxy), Some(Port::Grpc), Some(Port::Metrics), None];
        let of = |port: Option<Port>| {
            let name = port.map_or(MEMBERS, Port::name);
            let row = &self.0[Self::row(port)];
            Outcome::ALL.iter().zip(row).map(move |(outcome, n)| (name, outcome.name(), n.load(Relaxed)))
        };
        ports.into_iter().flat_map(of).filter(|(_, _, count)| *count > 0).collect()
    }
}

impl Tls {
    /// Counts, logs and reports a handshake that failed.
    pub(super) fn failed(&self, port: Port, client: SocketAddr, outcome: Outcome, reason: &str) {
        self.handshakes.count(Some(port), outcome);
        tracing::info!(port = port.name(), %client, reason, "a TLS handshake failed");
        if outcome == Outcome::Refused {
            self.access.refused(Refusal {
                reason: Reason::Certificate,
                context: port.name(),
                object: reason.to_owned(),
                user: String::new(),
                client: client.to_string(),
            });
        }
    }
}
