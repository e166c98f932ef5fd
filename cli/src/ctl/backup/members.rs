//! The members of a cluster as a backup needs them: who is the primary of a partition now, and a connection to it.
//!
//! A cluster changes while a backup is made: whoever is told that a node is not the primary asks here again. Does not
//! know what is asked of a primary.

use crate::{ctl::session::Session, failure::Failure};
use anyhow::anyhow;
use predis_client::AdminChannel;
use predis_proto::admin::{
    CountBackupRequest, Node, StatusReply, StatusRequest, backup_client::BackupClient,
    cluster_client::ClusterClient,
};
use predis_types::limits::MAX_MESSAGE_BYTES;
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

/// Who is asked for what, as words name it.
#[derive(Clone)]
pub(super) struct Asked {
    addr: String,
    who: String,
    partition: Option<u32>,
}

impl Asked {
    fn of(node: &Node, partition: Option<u32>) -> Asked {
        let addr = node.grpc_addr.clone();
        Asked { who: format!("node {} at {addr}", node.id), addr, partition }
    }

    /// What was said, with who said it and of what.
    pub(super) fn words(&self, said: &str) -> String {
        let of = self.partition.map(|partition| format!("partition {partition}: "));
        // A node names the partition where it can.
        let of = of.filter(|of| !said.starts_with(of)).unwrap_or_default();
        format!("{}: {of}{said}", self.who)
    }
}

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
        let addr = self.session.target.addr.clone();
        let named = Asked { who: format!("the node at {addr}"), addr, partition: None };
        let mut answered = self.ask(&named, self.session.channel.clone()).await;
        for node in &self.status().nodes {
            if !matches!(answered, Err(Refused::Again(_))) {
                break;
            }
            let asked = Asked::of(node, None);
            if let Ok(channel) = self.channel(&asked).await {
                answered = self.ask(&asked, channel).await;
            }
        }
        let status = Arc::new(answered?);
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status.clone();
        Ok(status)
    }

    async fn ask(&self, asked: &Asked, channel: AdminChannel) -> Result<StatusReply, Refused> {
        let answered = ClusterClient::new(channel).status(StatusRequest { stale: false }).await;
        answered.map(tonic::Response::into_inner).map_err(|status| self.refused(asked, &status))
    }

    async fn channel(&self, asked: &Asked) -> Result<AdminChannel, Refused> {
        let addr = &asked.addr;
        let known = self.channels.lock().unwrap_or_else(PoisonError::into_inner).get(addr).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        let channel = self.session.target.connect_to(addr).await;
        let channel = channel.map_err(|failure| Refused::Again(asked.words(&failure.to_string())))?;
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.insert(addr.clone(), channel.clone());
        Ok(channel)
    }

    /// The service of the node that is a partition's primary, by what was last seen, and how it is named.
    pub(super) async fn primary(
        &self,
        partition: u32,
    ) -> Result<(BackupClient<AdminChannel>, Asked), Refused> {
        let status = self.status();
        let of = status.partitions.iter().find(|of| of.id == partition);
        let node = of.and_then(|of| status.nodes.iter().find(|node| node.id == of.primary));
        let node = node.ok_or_else(|| Refused::Again(format!("partition {partition}: nobody serves it")))?;
        let asked = Asked::of(node, Some(partition));
        Ok((client(self.channel(&asked).await?), asked))
    }

    /// What a node's refusal is to whoever asks on.
    pub(super) fn refused(&self, asked: &Asked, status: &Status) -> Refused {
        let failure = self.session.failure_of(&asked.addr, status).say(|said| asked.words(&said));
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

    /// The cluster as of now; waited for until somebody can say.
    pub(super) async fn now(&self) -> Result<Arc<StatusReply>, Failure> {
        patiently("cannot see the cluster", || self.look()).await
    }

    /// How many keys each tenant has in the whole cluster; waited for until every partition is served.
    pub(super) async fn counts(&self) -> Result<BTreeMap<u32, u64>, Failure> {
        patiently("cannot count keys", || self.count_once()).await
    }

    async fn count_once(&self) -> Result<BTreeMap<u32, u64>, Refused> {
        let status = self.look().await?;
        let primaries: BTreeSet<u64> = status.partitions.iter().map(|of| of.primary).collect();
        let (mut seen, mut counts) = (BTreeSet::new(), BTreeMap::new());
        for node in status.nodes.iter().filter(|node| primaries.contains(&node.id)) {
            let asked = Asked::of(node, None);
            let mut client = client(self.channel(&asked).await?);
            let counted = client.count(CountBackupRequest {}).await;
            let counted = counted.map_err(|status| self.refused(&asked, &status))?.into_inner();
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

/// Asks again while that may help, for as long as there is patience.
async fn patiently<T>(what: &str, ask: impl AsyncFn() -> Result<T, Refused>) -> Result<T, Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let last = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(Refused::Final(failure)) => return Err(failure),
            Err(Refused::Again(words)) => words,
        };
        if Instant::now() >= until {
            return Err(Failure::failed(anyhow!("{what}: {last}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn client(channel: AdminChannel) -> BackupClient<AdminChannel> {
    BackupClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_who_was_asked_and_the_partition_once() {
        let node = Node { id: 2, grpc_addr: "b:7379".to_owned(), ..Node::default() };
        let asked = Asked::of(&node, Some(3));
        assert_eq!(asked.words("it stops"), "node 2 at b:7379: partition 3: it stops");
        assert_eq!(asked.words("partition 3: it moves"), "node 2 at b:7379: partition 3: it moves");
        assert_eq!(Asked::of(&node, None).words("it stops"), "node 2 at b:7379: it stops");
    }
}
