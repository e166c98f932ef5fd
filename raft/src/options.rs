//! What a member of the metadata group is told before it starts.

use crate::{disk::Disk, transport::Connector};
use openraft::SnapshotPolicy;
use predis_types::{ClusterId, NodeId, probe::Probe};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How fast members notice that a leader is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How often the leader makes itself heard.
    pub heartbeat: Duration,
    /// Voters stand by a leader for `election_max` after they last heard it; after at least this much more silence one of
    /// them stands for election.
    pub election_min: Duration,
    /// After at most this much more.
    pub election_max: Duration,
    /// How long opening a connection to another member may take.
    pub connect: Duration,
}

impl Timing {
    /// For members within a millisecond or so of each other.
    pub const LAN: Timing = Timing {
        heartbeat: Duration::from_millis(150),
        election_min: Duration::from_millis(450),
        election_max: Duration::from_millis(750),
        connect: Duration::from_millis(300),
    };
}

/// What a member of the metadata group is started with.
pub struct Options {
    /// The cluster; messages of another one are refused.
    pub cluster: ClusterId,
    /// This member.
    pub node: NodeId,
    /// How fast it judges.
    pub timing: Timing,
    /// A snapshot is written after this many log entries.
    pub snapshot_every: u64,
    /// Where it keeps its log.
    pub disk: Arc<dyn Disk>,
    /// How it reaches the others.
    pub connector: Arc<dyn Connector>,
    /// Who watches.
    pub probe: Arc<dyn Probe>,
    /// Members to try before the metadata is known, by id.
    pub seeds: BTreeMap<u64, String>,
}

impl Options {
    /// The same in openraft's words.
    pub(crate) fn config(&self) -> Result<openraft::Config, openraft::ConfigError> {
        let ms = |duration: Duration| duration.as_millis() as u64;
        openraft::Config {
            cluster_name: self.cluster.to_string(),
            heartbeat_interval: ms(self.timing.heartbeat),
            election_timeout_min: ms(self.timing.election_min),
            election_timeout_max: ms(self.timing.election_max),
            install_snapshot_timeout: 5_000,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.snapshot_every),
            max_in_snapshot_log_to_keep: self.snapshot_every,
            ..openraft::Config::default()
        }
        .validate()
    }
}
