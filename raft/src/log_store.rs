//! Raft's log and vote on a [`Disk`].
//!
//! ```text
//! Space::Log    index (big-endian u64) -> entry
//! Space::Vote   "vote" -> vote, "committed" -> log id, "purged" -> log id
//! ```
//! An append or a vote is acknowledged only after a sync. A range read that finds a hole where entries must be
//! is an error: openraft must never take a damaged log for a short one.

use crate::{
    disk::{Change, Disk, Space},
    types::{Entry, LogId, StorageError, TypeConfig, Vote},
};
use openraft::{
    LogState, OptionalSend, RaftLogReader, StorageIOError,
    storage::{LogFlushed, RaftLogStorage},
};
use predis_types::{
    NodeId,
    planted::{self, Bug},
    probe::{Event, Probe},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt::Debug,
    io,
    ops::{Bound, RangeBounds},
    sync::Arc,
};

const VOTE: &[u8] = b"vote";
const COMMITTED: &[u8] = b"committed";
const PURGED: &[u8] = b"purged";

/// The log store of one member; clones share its disk.
#[derive(Clone)]
pub struct LogStore {
    disk: Arc<dyn Disk>,
    probe: Arc<dyn Probe>,
    me: NodeId,
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(invalid)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(invalid)
}

fn read_error(error: io::Error) -> StorageError {
    StorageIOError::read_logs(&error).into()
}

fn write_error(error: io::Error) -> StorageError {
    StorageIOError::write_logs(&error).into()
}

fn index_of(key: &[u8]) -> io::Result<u64> {
    key.try_into().map(u64::from_be_bytes).map_err(invalid)
}

impl LogStore {
    /// The log store of a member on this disk.
    pub fn new(me: NodeId, disk: Arc<dyn Disk>, probe: Arc<dyn Probe>) -> LogStore {
        LogStore { disk, probe, me }
    }

    /// Whether this member led when it last ran, as far as its disk knows.
    pub fn led(&self) -> io::Result<bool> {
        Ok(self.load(VOTE)?.is_some_and(|vote| self.leads_by(&vote)))
    }

    /// Whether a vote says that this member was elected.
    fn leads_by(&self, vote: &Vote) -> bool {
        vote.is_committed() && vote.leader_id().node_id == self.me.0
    }

    fn load<T: DeserializeOwned>(&self, key: &[u8]) -> io::Result<Option<T>> {
        self.disk.get(Space::Vote, key)?.map(|bytes| decode(&bytes)).transpose()
    }

    fn store<T: Serialize>(&self, key: &[u8], value: &T) -> io::Result<()> {
        self.disk.write(Space::Vote, vec![Change::Put(key.to_vec(), encode(value)?)])
    }

    fn entries(&self, from: u64, to: u64) -> io::Result<Vec<Entry>> {
        let pairs = self.disk.range(Space::Log, &from.to_be_bytes(), &to.to_be_bytes())?;
        let mut indexes = Vec::with_capacity(pairs.len());
        let mut entries = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            indexes.push(index_of(&key)?);
            entries.push(decode(&value)?);
        }
        self.check_whole(from, to, &indexes)?;
        Ok(entries)
    }

    /// Refuses an answer to `from..to` that lacks an entry between the first and the last one of the log.
    fn check_whole(&self, from: u64, to: u64, indexes: &[u64]) -> io::Result<()> {
        let first = indexes.first().copied().unwrap_or(to);
        let missing = (first..).zip(indexes).find(|(expected, found)| expected != *found);
        let next = first.saturating_add(indexes.len() as u64);
        let last = if first > from || next < to { self.last_entry()? } else { None };
        let last = last.map_or(0, |last| last.log_id.index);
        // What lies below the first entry of the log was purged; above it nothing may be absent.
        let starts_late = first > from
            && last >= from
            && !self.disk.range(Space::Log, &[], &from.to_be_bytes())?.is_empty();
        let hole = match missing {
            _ if starts_late => Some(from),
            Some((expected, _)) => Some(expected),
            None => (next < to && last >= next).then_some(next),
        };
        match hole {
            Some(index) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("log entry {index} is missing between entries that are there"),
            )),
            None => Ok(()),
        }
    }

    fn last_entry(&self) -> io::Result<Option<Entry>> {
        self.disk.last(Space::Log)?.map(|(_, value)| decode(&value)).transpose()
    }

    fn remove_range(&self, from: u64, to: u64) -> io::Result<()> {
        let pairs = self.disk.range(Space::Log, &from.to_be_bytes(), &to.to_be_bytes())?;
        self.disk.write(Space::Log, pairs.into_iter().map(|(key, _)| Change::Remove(key)).collect())
    }

    async fn append_entries(&self, entries: impl Iterator<Item = Entry>) -> io::Result<()> {
        let mut changes = Vec::new();
        for entry in entries {
            changes.push(Change::Put(entry.log_id.index.to_be_bytes().to_vec(), encode(&entry)?));
        }
        self.disk.write(Space::Log, changes)?;
        if planted::active(Bug::AckBeforeSync) {
            return Ok(());
        }
        let synced = self.disk.sync().await;
        if planted::active(Bug::SyncErrorIgnored) {
            return Ok(());
        }
        synced
    }

    async fn persist_vote(&self, vote: &Vote) -> io::Result<()> {
        if !planted::active(Bug::VoteNotPersisted) {
            self.store(VOTE, vote)?;
            self.disk.sync().await?;
        }
        let leader = vote.leader_id();
        self.probe.event(Event::VoteSaved {
            term: leader.term,
            candidate: leader.node_id,
            committed: vote.is_committed(),
        });
        Ok(())
    }
}

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let from = match range.start_bound() {
        Bound::Included(&index) => index,
        Bound::Excluded(&index) => index.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(&index) => index.saturating_add(1),
        Bound::Excluded(&index) => index,
        Bound::Unbounded => u64::MAX,
    };
    (from, to)
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, StorageError>
    where
        R: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let (from, to) = bounds(&range);
        self.entries(from, to).map_err(read_error)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        let purged: Option<LogId> = self.load(PURGED).map_err(read_error)?;
        let last = self.last_entry().map_err(read_error)?.map(|entry| entry.log_id);
        // Entries at or below the purge point may linger after a crash between the two writes of a purge.
        Ok(LogState { last_purged_log_id: purged, last_log_id: last.max(purged) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        self.persist_vote(vote).await.map_err(|error| StorageIOError::write_vote(&error).into())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote: Option<Vote> = self.load(VOTE).map_err(|error| StorageIOError::read_vote(&error))?;
        let seen = vote.unwrap_or_default();
        self.probe.event(Event::VoteLoaded {
            term: seen.leader_id().term,
            candidate: seen.leader_id().node_id,
            committed: seen.is_committed(),
        });
        // The library lets one that led lead on, in the same term and by the log it has. But others may have committed
        // entries of that term without this disk: what it had not synced when it lost its power is missing here, and
        // would be written anew, differently. So it has to be elected again.
        Ok(vote.map(|vote| Vote { committed: vote.committed && !self.leads_by(&vote), ..vote }))
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        // Not synced: losing it costs only a later apply, the leader says it again.
        self.store(COMMITTED, &committed).map_err(write_error)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        Ok(self.load::<Option<LogId>>(COMMITTED).map_err(read_error)?.flatten())
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<TypeConfig>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        self.append_entries(entries.into_iter()).await.map_err(write_error)?;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.remove_range(log_id.index, u64::MAX).map_err(write_error)?;
        self.disk.sync().await.map_err(write_error)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        // The purge point first: entries without one would look like a log that starts late.
        self.store(PURGED, &log_id).map_err(write_error)?;
        self.disk.sync().await.map_err(write_error)?;
        self.remove_range(0, log_id.index + 1).map_err(write_error)
    }
}
