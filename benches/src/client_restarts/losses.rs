//! How often each partition was lost, as the cluster's metadata counts it.

use anyhow::Context;
use predis_client::connect_admin;
use predis_proto::admin::{StatusRequest, cluster_client::ClusterClient};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_secs(2);

/// How long nodes may take to agree again.
const AGREE_LIMIT: Duration = Duration::from_secs(30);

/// The counts as they were last seen.
pub(crate) struct Losses {
    seeds: Vec<String>,
    seen: Mutex<Arc<Vec<u64>>>,
}

impl Losses {
    pub(crate) fn new(seeds: Vec<String>) -> Losses {
        Losses { seeds, seen: Mutex::default() }
    }

    /// The counts as they were last seen, by partition: they may have grown since.
    pub(crate) fn seen(&self) -> Arc<Vec<u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks, through a majority, once every partition is served.
    pub(crate) async fn look(&self) -> anyhow::Result<Arc<Vec<u64>>> {
        let deadline = Instant::now() + AGREE_LIMIT;
        loop {
            for seed in &self.seeds {
                let Ok(channel) = connect_admin(seed, None, None, LIMIT).await else { continue };
                let mut client = ClusterClient::new(channel);
                let asked = client.status(StatusRequest { stale: false });
                let Ok(Ok(status)) = tokio::time::timeout(LIMIT, asked).await else { continue };
                let status = status.into_inner();
                if status.partitions_served != status.partition_count {
                    continue;
                }
                let lost =
                    Arc::new(status.partitions.iter().map(|partition| partition.lost).collect::<Vec<_>>());
                *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = lost.clone();
                return Ok(lost);
            }
            (Instant::now() < deadline)
                .then_some(())
                .context("the cluster does not serve everything again")?;
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A key was gone: its partition must have been lost since.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) key: String,
    pub(crate) partition: usize,
    /// How often it had been lost when the key was written, at least.
    pub(crate) lost_before: u64,
}

impl Claim {
    /// Whether the partition was.
    pub(crate) fn is_covered(&self, lost: &[u64]) -> bool {
        lost.get(self.partition).is_some_and(|lost| *lost > self.lost_before)
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is gone, and partition {} was not lost since it was written", self.key, self.partition)
    }
}
