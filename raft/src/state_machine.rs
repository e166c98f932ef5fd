//! Raft's state machine: a [`ClusterState`] in memory, published to watchers, snapshots in a file.
//!
//! Nothing is written per entry: after a restart the state is the snapshot plus the log behind it. A command
//! that this build cannot decode stops the member instead of being skipped.

use crate::{
    disk::Disk,
    snapshot::Applied,
    types::{Entry, LogId, Response, Snapshot, SnapshotMeta, StorageError, StoredMembership, TypeConfig},
};
use openraft::{
    AnyError, EntryPayload, OptionalSend, RaftSnapshotBuilder, StorageIOError, storage::RaftStateMachine,
};
use predis_meta::{ClusterState, decode_command};
use predis_types::{
    NodeId,
    probe::{Event, Probe},
};
use std::{
    collections::BTreeMap,
    io,
    io::Cursor,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The metadata after some log index, as watchers see it.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The index of the last log entry applied.
    pub index: u64,
    /// The metadata after it.
    pub state: Arc<ClusterState>,
    /// Where each member's gRPC listens, by node id.
    pub addresses: Arc<BTreeMap<u64, String>>,
}

impl Published {
    fn of(applied: &Applied) -> Published {
        Published {
            index: applied.last.map_or(0, |last| last.index),
            state: Arc::new(applied.state.clone()),
            addresses: Arc::new(applied.addresses()),
        }
    }
}

/// The state machine of one member; clones share it.
#[derive(Clone)]
pub struct StateMachine {
    node: NodeId,
    applied: Arc<Mutex<Applied>>,
    disk: Arc<dyn Disk>,
    publish: Arc<watch::Sender<Published>>,
    // The position of the snapshot on disk. Building and installing may overlap: one writes at a time, and
    // never an older one over a newer one.
    saved: Arc<tokio::sync::Mutex<Option<LogId>>>,
    probe: Arc<dyn Probe>,
}

impl StateMachine {
    /// The state machine as the disk's snapshot has it; `node` is whose copy this is.
    ///
    /// # Errors
    /// When the snapshot cannot be read.
    pub fn open(node: NodeId, disk: Arc<dyn Disk>, probe: Arc<dyn Probe>) -> io::Result<StateMachine> {
        let mut applied = Applied::load(disk.as_ref())?.unwrap_or_default();
        applied.state.set_local_node(Some(node));
        let publish = Arc::new(watch::Sender::new(Published::of(&applied)));
        let saved = Arc::new(tokio::sync::Mutex::new(applied.last));
        Ok(StateMachine { node, applied: Arc::new(Mutex::new(applied)), disk, publish, saved, probe })
    }

    /// Follows the metadata.
    pub fn watch(&self) -> watch::Receiver<Published> {
        self.publish.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Applied> {
        // A panic while applying would poison the lock and openraft stops the member anyway.
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn save(&self, applied: &Applied) -> Result<(), StorageError> {
        let mut saved = self.saved.lock().await;
        if applied.last > *saved || saved.is_none() {
            applied.save(self.disk.as_ref()).await.map_err(write_error)?;
            *saved = applied.last;
        }
        Ok(())
    }

    fn apply_entry(&self, applied: &mut Applied, entry: Entry) -> Result<Response, StorageError> {
        let index = entry.log_id.index;
        let response = match entry.payload {
            EntryPayload::Blank => {
                applied.state.skip_to(index);
                Response::Internal
            }
            EntryPayload::Membership(membership) => {
                applied.state.skip_to(index);
                applied.membership = StoredMembership::new(Some(entry.log_id), membership);
                Response::Internal
            }
            EntryPayload::Normal(proposal)
                if proposal.term.is_some_and(|term| term != entry.log_id.leader_id.term) =>
            {
                applied.state.skip_to(index);
                Response::Stale
            }
            EntryPayload::Normal(proposal) => {
                let command = decode_command(proposal.command.as_bytes()).map_err(|error| {
                    let reason = AnyError::error(format!("entry {index}: {error}"));
                    StorageError::from(StorageIOError::apply(entry.log_id, reason))
                })?;
                Response::Applied(applied.state.apply(index, &command))
            }
        };
        applied.last = Some(entry.log_id);
        // The digest is over the whole state: only for those who look.
        if matches!(response, Response::Applied(_)) && self.probe.is_watching() {
            self.probe.event(Event::Applied { index, digest: applied.state.digest() });
        }
        Ok(response)
    }
}

fn read_error(error: io::Error) -> StorageError {
    StorageIOError::read_snapshot(None, &error).into()
}

fn write_error(error: io::Error) -> StorageError {
    StorageIOError::write_snapshot(None, &error).into()
}

impl RaftSnapshotBuilder<TypeConfig> for StateMachine {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let applied = self.lock().clone();
        self.save(&applied).await?;
        applied.snapshot().map_err(write_error)
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let applied = self.lock();
        Ok((applied.last, applied.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Response>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut applied = self.lock();
        let responses =
            entries.into_iter().map(|entry| self.apply_entry(&mut applied, entry)).collect::<Result<_, _>>();
        self.publish.send_replace(Published::of(&applied));
        responses
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::new(Cursor::new(Vec::new())))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let mut received = Applied::decode(snapshot.get_ref()).map_err(read_error)?;
        // openraft's word on the position is the one the rest of its state follows.
        received.last = meta.last_log_id;
        received.membership = meta.last_membership.clone();
        self.save(&received).await?;
        let mut applied = self.lock();
        received.state.set_local_node(Some(self.node));
        *applied = received;
        self.publish.send_replace(Published::of(&applied));
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let Some(saved) = Applied::load(self.disk.as_ref()).map_err(read_error)? else { return Ok(None) };
        saved.snapshot().map(Some).map_err(read_error)
    }
}
