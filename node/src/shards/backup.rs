//! Reading a partition for a backup while it is being changed: its pages, then every change since the first of them.
//!
//! ```text
//! begin: a tap on the stream --> pages, one at a time under the lock --> with the last one: the tap's changes, the cut
//!                                                                        '--> until the cut is committed --> given out
//! ```
//! Effects are absolute, so pages and changes together are the partition as of the cut, whenever each page was read
//! (ADR 20). A reading ends with its epoch. Does not know where it goes.

use super::{
    Shards, change, pages,
    tap::{TAP_BYTES, Tap},
};
use bytes::Bytes;
use predis_replica::{Access, Cursor, access, may_reply};
use predis_types::{Epoch, NodeId, PartitionId, Sequence, TenantId};
use std::{sync::Arc, time::Duration};

/// How many bytes of changes are given out at a time, about.
const PIECE_BYTES: usize = 64 << 10;

/// How long a cut may take to be committed: longer than a replica that does not answer stays in sync.
const COMMIT_LIMIT: Duration = Duration::from_secs(10);

/// The moment that a backup of a partition shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The partition's epoch.
    pub epoch: Epoch,
    /// The last change in it.
    pub sequence: Sequence,
}

/// A piece of what a partition holds. Pages and changes are encoded changes.
#[derive(Debug)]
pub enum Piece {
    /// Keys, in hash order, as changes that set them.
    Page(Bytes),
    /// What was done while the pages were read, in order.
    Changes(Vec<Bytes>),
    /// All of it is out, and this is what it shows.
    Cut(Cut),
}

/// Why a partition cannot be read, here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The cluster does not have it.
    #[error("there is no such partition: the cluster has {0}")]
    NoPartition(u16),
    /// Another node serves it.
    #[error("node {0} serves it")]
    Moved(NodeId),
    /// Nobody does, or this node has no lease.
    #[error("nobody serves it at this moment")]
    Unserved,
    /// It is changing hands.
    #[error("it is changing hands")]
    Moving,
    /// Somebody reads it already.
    #[error("it is being read for a backup already")]
    Taken,
    /// Its primary changed, or its epoch.
    #[error("its primary changed while it was read")]
    Changed,
    /// It changed by more than is kept meanwhile.
    #[error("more than {TAP_BYTES} bytes of changes were made while it was read")]
    Overrun,
    /// Copies in sync did not confirm what was read.
    #[error("what was read was not confirmed by the copies in sync within {COMMIT_LIMIT:?}")]
    Uncommitted,
}

/// How many keys a tenant has in a partition, those included whose time has come and that nobody has met yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCount {
    /// Which partition.
    pub partition: PartitionId,
    /// Whose.
    pub tenant: TenantId,
    /// How many; at least one.
    pub keys: u64,
}

/// How far a reading is.
enum Stage {
    /// Pages are read from here on; the tap is in place.
    Pages(Cursor),
    /// All pages are out; the changes wait for the cut to be committed.
    Cutting(Vec<Bytes>, Cut),
    /// The changes go out.
    Changes(std::vec::IntoIter<Bytes>, Cut),
    Over,
}

/// What one partition holds, read piece by piece. Dropping it ends it.
pub struct Reading {
    shards: Arc<Shards>,
    id: PartitionId,
    epoch: Epoch,
    stage: Stage,
}

impl Shards {
    /// Begins to read a partition whose primary this node is; one reads it at a time.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_partition(self: &Arc<Self>, id: PartitionId) -> Result<Reading, ReadError> {
        self.read_within(id, TAP_BYTES)
    }

    /// The same with another bound on the changes made meanwhile, in bytes.
    pub(super) fn read_within(
        self: &Arc<Self>,
        id: PartitionId,
        tap_bytes: usize,
    ) -> Result<Reading, ReadError> {
        let partition = self.partition(id).ok_or(ReadError::NoPartition(self.count.get()))?;
        let mut guarded = partition.lock();
        let epoch = match access(&self.look(&guarded), &guarded.owner) {
            Access::Serve { epoch } => epoch,
            Access::Moved(node) => return Err(ReadError::Moved(node)),
            Access::ClusterDown => return Err(ReadError::Unserved),
            Access::Wait | Access::TryAgain => return Err(ReadError::Moving),
        };
        let leading = guarded.leading_in(epoch).ok_or(ReadError::Moving)?;
        if leading.tap.is_some() {
            return Err(ReadError::Taken);
        }
        leading.tap = Some(Tap::new(tap_bytes));
        Ok(Reading { shards: self.clone(), id, epoch, stage: Stage::Pages(Cursor::default()) })
    }

    /// How many keys each tenant has, in each of the partitions that this node serves.
    pub fn key_counts(&self) -> (Vec<PartitionId>, Vec<KeyCount>) {
        let (mut served, mut counts) = (Vec::new(), Vec::new());
        for partition in &self.partitions {
            let guarded = partition.lock();
            let Some(copy) = &guarded.copy else { continue };
            if !matches!(access(&self.look(&guarded), &guarded.owner), Access::Serve { .. }) {
                continue;
            }
            served.push(partition.id);
            let of =
                |tenant| KeyCount { partition: partition.id, tenant, keys: copy.shard.len(tenant) as u64 };
            counts.extend(copy.shard.tenants().map(of).filter(|count| count.keys > 0));
        }
        (served, counts)
    }

    /// Whether everybody in sync has a change of this epoch; `None` when this node cannot know any more.
    fn is_committed(&self, id: PartitionId, cut: Cut) -> Option<bool> {
        let mut guarded = self.partition(id)?.lock();
        if !may_reply(&self.look(&guarded), &guarded.owner, cut.epoch) {
            return None;
        }
        guarded.leading_in(cut.epoch).map(|leading| leading.lead.committed() >= cut.sequence)
    }

    async fn until_committed(&self, id: PartitionId, cut: Cut) -> Result<(), ReadError> {
        let partition = self.partition(id).ok_or(ReadError::Changed)?;
        let settled = || match self.is_committed(id, cut) {
            Some(true) => Some(Ok(())),
            Some(false) => None,
            None => Some(Err(ReadError::Changed)),
        };
        self.with_each_commit(partition, settled).await
    }
}

impl Reading {
    /// The next piece; after an error, and after the cut, there is none.
    pub async fn next(&mut self) -> Option<Result<Piece, ReadError>> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Pages(from) => match self.page(from) {
                    Ok(page) if page.is_empty() => {}
                    read => return Some(read.map(Piece::Page)),
                },
                Stage::Cutting(changes, cut) => {
                    let waited = self.shards.until_committed(self.id, cut);
                    match tokio::time::timeout(COMMIT_LIMIT, waited)
                        .await
                        .unwrap_or(Err(ReadError::Uncommitted))
                    {
                        Ok(()) => self.stage = Stage::Changes(changes.into_iter(), cut),
                        Err(error) => return Some(Err(error)),
                    }
                }
                Stage::Changes(mut changes, cut) => {
                    let mut bytes = 0;
                    let piece: Vec<Bytes> = std::iter::from_fn(|| {
                        let change = (bytes < PIECE_BYTES).then(|| changes.next()).flatten()?;
                        bytes += change.len();
                        Some(change)
                    })
                    .collect();
                    if piece.is_empty() {
                        return Some(Ok(Piece::Cut(cut)));
                    }
                    self.stage = Stage::Changes(changes, cut);
                    return Some(Ok(Piece::Changes(piece)));
                }
                Stage::Over => return None,
            }
        }
    }

    /// Reads a page, an encoded change; empty when there is nothing on it. With the last one, the tap ends at this very
    /// moment.
    fn page(&mut self, from: Cursor) -> Result<Bytes, ReadError> {
        let partition = self.shards.partition(self.id).ok_or(ReadError::Changed)?;
        let mut guarded = partition.lock();
        let leading = guarded.leading_in(self.epoch).ok_or(ReadError::Changed)?;
        let tap = leading.tap.take().ok_or(ReadError::Changed)?;
        if tap.is_over() {
            return Err(ReadError::Overrun);
        }
        let copy = guarded.copy.as_mut().ok_or(ReadError::Changed)?;
        let (tenant, effects, next) = pages::page(copy, from, self.shards.stream.page_bytes);
        let at_ms = copy.shard.time_ms();
        let leading = copy.leading_mut().ok_or(ReadError::Changed)?;
        self.stage = match next {
            Some(next) => {
                leading.tap = Some(tap);
                Stage::Pages(next)
            }
            None => {
                let cut = Cut { epoch: self.epoch, sequence: leading.lead.last() };
                Stage::Cutting(tap.into_changes(), cut)
            }
        };
        drop(guarded);
        // Values share their bytes with the shard: they are copied after the lock is let go.
        Ok(match effects.as_slice() {
            [] => Bytes::new(),
            effects => change::encode(tenant, at_ms, effects.iter()).0,
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Stage::Pages(_) = self.stage
            && let Some(partition) = self.shards.partition(self.id)
            && let Some(leading) = partition.lock().leading_in(self.epoch)
        {
            leading.tap = None;
        }
    }
}
