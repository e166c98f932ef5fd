//! The admin API's `Backup` service: who may make or restore one, what partitions hold, and keys put back.
//!
//! ```text
//! Begin -> the role `backup` or `restore`, agreed on and in the audit -> a token -> Read and Write on any member
//! Read -> shards::Reading -> pages, changes, cut          Write -> Shards::submit, as any command
//! ```
//! Knows no files: those are the caller's.

use super::{change::Admin, guard::Permit};
use crate::{
    serving::Serving,
    shards::{Answer, Batch, Piece, ReadError, Reading, Work},
};
use futures_util::stream::{self, BoxStream};
use predis_meta::{Action, ClusterState, Outcome, Replica};
use predis_proto::admin::{
    BackupKey, BackupPart, BeginBackupReply, BeginBackupRequest, CountBackupReply, CountBackupRequest, Cut,
    EndBackupReply, EndBackupRequest, KeyCount, ReadBackupRequest, WriteBackupReply, WriteBackupRequest,
    backup_server,
};
use predis_shard::{PageEntry, Value};
use predis_types::{PartitionId, TenantId, key_slot, limits::MAX_BULK_BYTES};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::{Request, Response, Status};

/// How long the right to make or restore a backup lasts, unless it is renewed.
const LEASE_MS: u64 = 30_000;

/// How many partitions of a node may be read at a time: each may keep as much as a tap holds.
const READERS: usize = 4;

/// How many keys one call may set.
const MAX_KEYS: usize = 1024;

/// The service; clones share it.
#[derive(Clone)]
pub(super) struct Backup {
    admin: Admin,
    stop: watch::Receiver<bool>,
    readers: Arc<Semaphore>,
}

impl Backup {
    /// A service whose streams end when `stop` turns true.
    pub(super) fn new(admin: Admin, stop: watch::Receiver<bool>) -> Backup {
        Backup { admin, stop, readers: Arc::new(Semaphore::new(READERS)) }
    }

    fn serving(&self) -> Result<Arc<Serving>, Status> {
        let running = self.admin.shared.status.running();
        let running = running.ok_or_else(|| Status::unavailable("this node does not serve"))?;
        Ok(running.serving.clone())
    }

    /// This node as it holds roles.
    fn holder(&self, state: &ClusterState) -> Result<Replica, Status> {
        let node = self.admin.shared.node;
        let member = state.node(node).filter(|member| member.is_up());
        let member = member.ok_or_else(|| Status::unavailable("this node is not up"))?;
        Ok(Replica { node, incarnation: member.incarnation })
    }

    /// Whether the token is of who has the right, by what this node knows.
    fn check(&self, restore: bool, token: u64) -> Result<(), Status> {
        if has_right(&self.admin.shared.meta.published().state, restore, token) {
            return Ok(());
        }
        let (role, node) = (role(restore), self.admin.shared.node);
        Err(Status::aborted(format!(
            "token {token} is not that of the {role} under way, by what node {node} knows"
        )))
    }

    /// Why a partition cannot be read, and whom to ask.
    fn unread(&self, id: u32, error: ReadError) -> Status {
        let words = match error {
            ReadError::Moved(node) => {
                let addr = self.admin.shared.meta.address(node).unwrap_or_default();
                let me = self.admin.shared.node;
                format!("partition {id}: node {node} at {addr} is its primary, not node {me}")
            }
            error => format!("partition {id}: {error}"),
        };
        match error {
            ReadError::NoPartition(_) => Status::invalid_argument(words),
            ReadError::Overrun => Status::resource_exhausted(words),
            ReadError::Unserved | ReadError::Uncommitted => Status::unavailable(words),
            ReadError::Moved(_) | ReadError::Moving | ReadError::Taken | ReadError::Changed => {
                Status::aborted(words)
            }
        }
    }
}

fn role(restore: bool) -> &'static str {
    if restore { "restore" } else { "backup" }
}

/// Whether the token is that of the role's lease, and nobody has taken the other role since: tokens of both are counted
/// together, so whoever let its own run out is found out even if nobody else has taken that one.
fn has_right(state: &ClusterState, restore: bool, token: u64) -> bool {
    let token_of = |restore| state.roles().get(role(restore)).map(|lease| lease.token);
    token_of(restore) == Some(token) && token_of(!restore).is_none_or(|other| other < token)
}

/// Refuses whoever comes while somebody else, by the token, has either right.
fn refuse_taken(state: &ClusterState, at_ms: u64, token: u64) -> Result<(), Status> {
    let leases = ["backup", "restore"].into_iter().filter_map(|role| Some((role, state.roles().get(role)?)));
    match leases.into_iter().find(|(_, lease)| lease.until_ms > at_ms && lease.token != token) {
        Some((role, lease)) => {
            let (holder, left_s) = (lease.holder, (lease.until_ms - at_ms).div_ceil(1000));
            Err(Status::failed_precondition(format!(
                "a {role} is under way, through node {}: one at a time; if it has died, its right ends in {left_s} s",
                holder.node
            )))
        }
        None => Ok(()),
    }
}

#[tonic::async_trait]
impl backup_server::Backup for Backup {
    type ReadStream = BoxStream<'static, Result<BackupPart, Status>>;

    async fn begin(
        &self,
        request: Request<BeginBackupRequest>,
    ) -> Result<Response<BeginBackupReply>, Status> {
        let permit = Permit::of(&request)?;
        let BeginBackupRequest { restore, token } = request.into_inner();
        let taken = self.admin.change(&permit, |state, at_ms| {
            let (role, holder) = (role(restore).to_owned(), self.holder(state)?);
            refuse_taken(state, at_ms, token)?;
            let token = match token {
                0 => state.next_fencing_token(),
                token if has_right(state, restore, token) => token,
                token => {
                    let words = format!("token {token} is not that of a {role} under way");
                    return Err(Status::failed_precondition(words));
                }
            };
            let until_ms = at_ms.saturating_add(LEASE_MS);
            Ok(Some(Action::AcquireRole { role, holder, token, until_ms }))
        });
        match taken.await? {
            Outcome::RoleHeld { token } => Ok(Response::new(BeginBackupReply { token })),
            other => Err(Status::internal(format!("unexpected outcome {other:?}"))),
        }
    }

    async fn end(&self, request: Request<EndBackupRequest>) -> Result<Response<EndBackupReply>, Status> {
        let permit = Permit::of(&request)?;
        let EndBackupRequest { restore, token } = request.into_inner();
        let ended = self.admin.change(&permit, |state, _| {
            let (role, holder) = (role(restore).to_owned(), self.holder(state)?);
            Ok(Some(Action::ReleaseRole { role, holder, token }))
        });
        ended.await?;
        Ok(Response::new(EndBackupReply {}))
    }

    async fn read(&self, request: Request<ReadBackupRequest>) -> Result<Response<Self::ReadStream>, Status> {
        let permit = Permit::of(&request)?;
        let ReadBackupRequest { partition, token } = request.into_inner();
        self.check(false, token)?;
        let place = self.readers.clone().try_acquire_owned().map_err(|_| {
            Status::resource_exhausted(format!("{READERS} partitions of this node are being read: the limit"))
        })?;
        let reading = self.serving()?.shards.read_partition(partition_id(partition)?);
        let reading = reading.map_err(|error| self.unread(partition, error))?;
        let reader = Reader { backup: self.clone(), permit, partition, reading, _place: place };
        Ok(Response::new(Box::pin(stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.next().await? {
                Ok(part) => Some((Ok(part), Some(reader))),
                Err(status) => Some((Err(status), None)),
            }
        }))))
    }

    async fn write(
        &self,
        request: Request<WriteBackupRequest>,
    ) -> Result<Response<WriteBackupReply>, Status> {
        let WriteBackupRequest { partition, token, tenant, keys } = request.into_inner();
        self.check(true, token)?;
        if keys.len() > MAX_KEYS {
            let got = keys.len();
            return Err(Status::invalid_argument(format!("keys: must be at most {MAX_KEYS}, got {got}")));
        }
        let (serving, id) = (self.serving()?, partition_id(partition)?);
        let gate = self.admin.shared.access.tenant(TenantId(tenant)).ok_or_else(|| {
            Status::aborted(format!("there is no tenant {tenant}, by what this node knows"))
        })?;
        let count = serving.shards.partition_count();
        let home = |key: &[u8]| gate.colocated.unwrap_or_else(|| count.partition_of(key_slot(key)));
        if let Some(stray) = keys.iter().find(|key| home(&key.key) != id) {
            let rule = format!("must be of partition {partition}, one is of {}", home(&stray.key));
            return Err(Status::invalid_argument(format!("keys: {rule}")));
        }
        let entries = keys.into_iter().map(entry).collect::<Result<_, _>>()?;
        let batch = Batch {
            partition: id,
            tenant: TenantId(tenant),
            work: Work::Put(entries),
            reader: None,
            from_copy: false,
        };
        match serving.shards.submit(batch).answers().await.pop() {
            Some(Answer::Count(set)) => Ok(Response::new(WriteBackupReply { set })),
            other => Err(self.unwritten(partition, &gate.name, other)),
        }
    }

    async fn count(&self, _: Request<CountBackupRequest>) -> Result<Response<CountBackupReply>, Status> {
        let (partitions, counts) = self.serving()?.shards.key_counts();
        let count = |count: crate::shards::KeyCount| KeyCount {
            partition: u32::from(count.partition.0),
            tenant: count.tenant.0,
            keys: count.keys,
        };
        Ok(Response::new(CountBackupReply {
            partitions: partitions.iter().map(|id| u32::from(id.0)).collect(),
            counts: counts.into_iter().map(count).collect(),
        }))
    }
}

impl Backup {
    /// What a shard's answer means when keys were not set, or may not have been.
    fn unwritten(&self, partition: u32, tenant: &str, answer: Option<Answer>) -> Status {
        let node = self.admin.shared.node;
        let say = |words: &str| format!("partition {partition}: {words}");
        match answer {
            Some(Answer::Moved(node)) => self.unread(partition, ReadError::Moved(node)),
            Some(Answer::Reply(_)) => Status::failed_precondition(say(&format!(
                "a key is larger than all that tenant {tenant} may have on node {node}"
            ))),
            Some(Answer::NoReplicas) => Status::unavailable(say("too few copies are in sync to write")),
            Some(Answer::ClusterDown) => Status::unavailable(say("nobody serves it at this moment")),
            Some(Answer::Withheld) => {
                Status::aborted(say("its primary changed meanwhile: the keys may be set"))
            }
            _ => Status::aborted(say("it is changing hands")),
        }
    }
}

fn partition_id(partition: u32) -> Result<PartitionId, Status> {
    let id = u16::try_from(partition).map(PartitionId);
    id.map_err(|_| Status::invalid_argument(format!("partition: there is no partition {partition}")))
}

fn entry(key: BackupKey) -> Result<PageEntry, Status> {
    let BackupKey { key, value, expire_at_ms } = key;
    match key.len().max(value.len()) {
        size if size > MAX_BULK_BYTES => {
            let rule = format!("must be of at most {MAX_BULK_BYTES} bytes, one has {size}");
            Err(Status::invalid_argument(format!("keys: {rule}")))
        }
        _ => Ok(PageEntry { key, value: Value::String(value), expire_at_ms }),
    }
}

/// One partition on its way to a caller.
struct Reader {
    backup: Backup,
    permit: Permit,
    partition: u32,
    reading: Reading,
    /// Its place among those that are read at a time.
    _place: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<BackupPart, Status>> {
        let piece = tokio::select! {
            biased;
            _ = self.backup.stop.wait_for(|stop| *stop) => return Some(Err(Status::unavailable("this node stops"))),
            piece = self.reading.next() => piece?,
        };
        // Who was allowed to read may have been disabled since.
        if let Err(status) = self.permit.renewed(&self.backup.admin.shared.access) {
            return Some(Err(status));
        }
        Some(piece.map(part).map_err(|error| self.backup.unread(self.partition, error)))
    }
}

fn part(piece: Piece) -> BackupPart {
    match piece {
        Piece::Page(page) => BackupPart { page, ..BackupPart::default() },
        Piece::Changes(changes) => BackupPart { changes, ..BackupPart::default() },
        Piece::Cut(cut) => {
            let cut = Cut { epoch: cut.epoch.0, sequence: cut.sequence.0 };
            BackupPart { cut: Some(cut), ..BackupPart::default() }
        }
    }
}
