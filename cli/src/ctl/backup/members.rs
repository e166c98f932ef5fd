//! The members of a cluster as a backup needs them: who is the primary of a partition now, and a connection to it.
//!
//! A cluster changes while a backup is made: whoever is told that a node is not the primary asks here again. Does not
//! know what is asked of a primary.

use crate::{ctl::session::Session, failure::Failure};
use anyhow::anyhow;
use predis_client::AdminChannel;
use predis_proto::admin::{
    CountBackupRequest, StatusReply, StatusRequest, backup_client::BackupClient,
    cluster_client::ClusterClient,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tonic::{Code, Status};

/// How long it is tried again while nothing succeeds: longer than a failover takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before it is tried again: nobody tells when somebody answers.
pub(super) const PAUSE: Duration = Duration::from_millis(250);

/// The largest message of a node, in bytes: the longest value, its key, and what comes with them.
const MAX_MESSAGE_BYTES: usize = 1200 << 20;

/// Why a call to a primary gave nothing.
pub(super) enum Refused {
    /// It may do better if it is tried again.
    Again(String),
    /// It will not.
    Final(Failure),
}

/// The members.
pub(super) struct Members<'a> {
    session: &'a Session,
    status: Mutex<Arc<StatusReply>>,
    channels: Mutex<BTreeMap<String, AdminChannel>>,
}

impl<'a> Members<'a> {
    /// Asks who they are.
    pub(super) async fn find(session: &'a Session) -> Result<Members<'a>, Failure> {
        let status = Mutex::new(Arc::new(session.status(false).await?));
        Ok(Members { session, status, channels: Mutex::default() })
    }

    /// The cluster as it was last seen.
    pub(super) fn status(&self) -> Arc<StatusReply> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The cluster as of now, from the node that was named or, should that be gone, from any other.
    pub(super) async fn look(&self) -> Result<Arc<StatusReply>, Refused> {
        let mut asked = self.ask(self.session.channel.clone()).await;
        let others: Vec<String> = self.status().nodes.iter().map(|node| node.grpc_addr.clone()).collect();
        for addr in others {
            if !matches!(asked, Err(Refused::Again(_))) {
                break;
            }
            if let Ok(channel) = self.channel(&addr).await {
                asked = self.ask(channel).await;
            }
        }
        let status = Arc::new(asked?);
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status.clone();
        Ok(status)
    }

    async fn ask(&self, channel: AdminChannel) -> Result<StatusReply, Refused> {
        let answered = ClusterClient::new(channel).status(StatusRequest { stale: false }).await;
        answered.map(tonic::Response::into_inner).map_err(|status| self.refused(&status))
    }

    async fn channel(&self, addr: &str) -> Result<AdminChannel, Refused> {
        let known = self.channels.lock().unwrap_or_else(PoisonError::into_inner).get(addr).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        let channel = self.session.target.connect_to(addr).await;
        let channel = channel.map_err(|failure| Refused::Again(failure.to_string()))?;
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.insert(addr.to_owned(), channel.clone());
        Ok(channel)
    }

    /// The service of the node that is a partition's primary, by what was last seen.
    pub(super) async fn primary(&self, partition: u32) -> Result<BackupClient<AdminChannel>, Refused> {
        let status = self.status();
        let of = status.partitions.iter().find(|of| of.id == partition);
        let node = of.and_then(|of| status.nodes.iter().find(|node| node.id == of.primary));
        let node = node.ok_or_else(|| Refused::Again(format!("partition {partition}: nobody serves it")))?;
        Ok(client(self.channel(&node.grpc_addr).await?))
    }

    /// What a node's refusal is to whoever asks on.
    pub(super) fn refused(&self, status: &Status) -> Refused {
        let failure = self.session.failure(status);
        match status.code() {
            Code::Aborted
            | Code::Unavailable
            | Code::Unknown
            | Code::ResourceExhausted
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Internal => Refused::Again(failure.to_string()),
            _ => Refused::Final(failure),
        }
    }

    /// How many keys each tenant has in the whole cluster; waited for until every partition is served.
    pub(super) async fn counts(&self) -> Result<BTreeMap<u32, u64>, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let last = match self.count_once().await {
                Ok(counts) => return Ok(counts),
                Err(Refused::Final(failure)) => return Err(failure),
                Err(Refused::Again(words)) => words,
            };
            if Instant::now() >= until {
                return Err(Failure::failed(anyhow!("cannot count keys: {last}")));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn count_once(&self) -> Result<BTreeMap<u32, u64>, Refused> {
        let status = self.look().await?;
        let primaries: BTreeSet<u64> = status.partitions.iter().map(|of| of.primary).collect();
        let (mut seen, mut counts) = (BTreeSet::new(), BTreeMap::new());
        for node in status.nodes.iter().filter(|node| primaries.contains(&node.id)) {
            let mut client = client(self.channel(&node.grpc_addr).await?);
            let counted =
                client.count(CountBackupRequest {}).await.map_err(|status| self.refused(&status))?;
            let counted = counted.into_inner();
            seen.extend(counted.partitions);
            for count in counted.counts {
                *counts.entry(count.tenant).or_default() += count.keys;
            }
        }
        match status.partitions.iter().find(|of| !seen.contains(&of.id)) {
            Some(missing) => Err(Refused::Again(format!("partition {}: nobody serves it", missing.id))),
            None => Ok(counts),
        }
    }
}

fn client(channel: AdminChannel) -> BackupClient<AdminChannel> {
    BackupClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES)
}
