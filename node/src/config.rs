//! What a node is told before it starts: addresses, place, memory, and how fast it judges others.
//!
//! Plain values, already merged from file, environment and flags by the caller. What nodes must agree on is
//! not here but in the cluster's metadata.

pub use predis_meta::{Ack, limits::MAX_WEIGHT};

use crate::tls::TlsConfig;
use predis_raft::Timing;
use predis_replica::{HandOverConfig, LeaseConfig, StreamConfig};
use predis_types::PartitionCount;
use std::time::Duration;

/// The longest round trip between members that a cluster can be founded for, in milliseconds.
pub const MOST_ROUND_TRIP_MS: u32 = 500;

/// How the node comes to be a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// It founds a cluster, unless its data directory already belongs to one.
    Bootstrap(Founding),
    /// It joins the cluster that these gRPC addresses belong to, unless it already has.
    Join(Vec<String>),
    /// It goes on as what its data directory says.
    Resume,
}

/// What is fixed when a cluster is founded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// How many partitions the slots are cut into.
    pub partitions: PartitionCount,
    /// How many replicas a partition should have, its primary included.
    pub copies: u8,
    /// The eviction policy of the default tenant.
    pub policy: String,
    /// When the default tenant's replies are given.
    pub ack: Ack,
    /// The longest round trip between members that is to be taken for granted, in milliseconds, up to
    /// [`MOST_ROUND_TRIP_MS`]; 0 for members near each other. By it members judge who is gone.
    pub round_trip_ms: u32,
    /// The digest of the token of the user `admin`, as [`predis_types::TokenDigest`] writes it. With it the cluster
    /// has that user from the first moment and requires that everyone authenticates; without it, neither.
    pub admin: Option<String>,
}

impl Default for Founding {
    fn default() -> Self {
        Founding {
            partitions: PartitionCount::default(),
            copies: 2,
            policy: "s3fifo".to_owned(),
            ack: Ack::Async,
            round_trip_ms: 0,
            admin: None,
        }
    }
}

/// Everything a node is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Its name, unique among the members that are up.
    pub name: String,
    /// Where it listens for RESP.
    pub listen: String,
    /// Where it listens for RESP from clients that know nothing of clusters; `None`: nowhere.
    pub proxy_listen: Option<String>,
    /// Where it listens for gRPC.
    pub grpc: String,
    /// Where it serves metrics and health.
    pub metrics: String,
    /// How others reach it, when that differs from where it listens: host only.
    pub advertise: Option<String>,
    /// The failure zone, or empty.
    pub zone: String,
    /// The region, or empty.
    pub region: String,
    /// Its share of the partitions; 100 is usual.
    pub weight: u32,
    /// How many bytes its shards may take, `None` for no bound.
    pub memory_bytes: Option<u64>,
    /// Its certificates; `None` to speak to everybody without TLS.
    pub tls: Option<TlsConfig>,
    /// How it comes to be a member.
    pub start: Start,
    /// The most client connections at a time.
    pub max_clients: usize,
    /// After how many seconds without a request a connection is closed; 0 for never.
    pub timeout_s: u64,
    /// Whether it can be reached from beyond this machine and was not told that this is fine without authentication.
    pub exposed: bool,
    /// How fast leaders and leases are judged.
    pub profile: Profile,
}

/// The constants that belong together, most of them times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Raft's.
    pub raft: Timing,
    /// The leases'.
    pub lease: LeaseConfig,
    /// How long one attempt at a metadata proposal may take.
    pub propose: Duration,
    /// How often the leader looks at the cluster.
    pub supervise: Duration,
    /// How long a member may be down before another one votes in its place.
    pub replace_voter: Duration,
    /// The longest round trip between members that is taken for granted, beyond a millisecond or so.
    pub round_trip: Duration,
    /// How patient hand-overs are.
    pub hand_over: HandOverConfig,
    /// How patient replication is, and what it keeps.
    pub stream: StreamConfig,
}

impl Profile {
    /// For members within a millisecond or so of each other.
    pub fn lan() -> Profile {
        Profile {
            raft: Timing::LAN,
            lease: LeaseConfig::default(),
            propose: Duration::from_secs(2),
            supervise: Duration::from_millis(50),
            replace_voter: Duration::from_secs(10),
            round_trip: Duration::ZERO,
            hand_over: HandOverConfig::default(),
            stream: StreamConfig::default(),
        }
    }

    /// The same for members whose messages and answers take up to `round_trip` more. Leases depend on it, so all
    /// members of a cluster must have the same.
    #[must_use]
    pub fn over(mut self, round_trip: Duration) -> Profile {
        let us = round_trip.as_micros() as u64;
        // A heartbeat is given up after the time between two of them, and may need a connection first.
        self.raft.heartbeat += 2 * round_trip;
        // Votes cross the link too: the more so must those who stand for election not do it at once.
        self.raft.election_min += 2 * round_trip;
        self.raft.election_max += 3 * round_trip;
        self.raft.connect += 4 * round_trip;
        // A renewal waits for a round trip to the leader, and there for the rest of one round and the whole of the next.
        self.lease.renew_every_us += 3 * us;
        self.lease.lease_us += 8 * us;
        self.propose += 20 * round_trip;
        self.round_trip += round_trip;
        self.hand_over.hold_us += 2 * us;
        self.hand_over.retry_us += 2 * us;
        self.stream.patience_us += 4 * us;
        self.stream.retry_us += 2 * us;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_grow_with_the_round_trip_and_keep_their_order() {
        let lan = Profile::lan();
        assert_eq!(lan.over(Duration::ZERO), lan);
        for ms in [1, 50, 200, MOST_ROUND_TRIP_MS.into()] {
            let (round_trip, Profile { raft, lease, .. }) =
                (Duration::from_millis(ms), lan.over(Duration::from_millis(ms)));
            assert!(
                raft.heartbeat > 2 * round_trip && raft.heartbeat + round_trip / 2 < raft.election_min,
                "{ms} ms"
            );
            assert!(raft.election_min < raft.election_max);
            // One renewal may be lost.
            let answered_us = 2 * lease.renew_every_us + 2 * round_trip.as_micros() as u64;
            assert!(answered_us < lease.lease_us, "{ms} ms");
        }
    }
}
