//! Replication as the partitions have it: what to tell replicas, what they answered, what primaries tell this node.
//!
//! ```text
//! deliver -> Lead::append, queues marked      parts -> (sent by others) -> receive on the other node
//! acknowledged <- what it answered            changes -> (proposed by others) -> not_changed, or a state
//! ```
//! Drives `predis_replica`'s streams under the partitions' locks. Does not know how anything travels.

use super::{
    ChangeError, Shards, change, pages,
    partition::{Following, Leading, ShardCopy},
    queue::Queue,
};
use bytes::Bytes;
use predis_replica::{Access, Ack, Cursor, Life, Part, SetChange, access};
use predis_shard::{Discarded, Effects};
use predis_types::{Epoch, PartitionId, Sequence, TenantId};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What replication counted since the node booted.
#[derive(Debug, Default)]
pub struct ReplicationCounts {
    /// Entries applied for other primaries.
    pub applied: AtomicU64,
    /// Pages of copies sent.
    pub pages: AtomicU64,
    /// Copies that became the primary's.
    pub promotions: AtomicU64,
    /// Entries that the primaries before were known to have and that were not here when this node took over.
    pub lost: AtomicU64,
}

/// What to tell a replica of one partition.
pub struct Outgoing {
    /// Which partition.
    pub partition: PartitionId,
    /// The stream's part.
    pub part: Part<Bytes>,
    /// The page that it announces.
    pub page: Option<Page>,
    /// Whether the primary could answer for the partition when it made this.
    pub vouched: bool,
    /// Whether it says nothing new.
    pub beat: bool,
}

/// Keys of a copy, in hash order.
pub struct Page {
    /// An encoded change that sets the keys; empty when there are none.
    pub change: Bytes,
    /// Where the copy goes on; `None`: this is the last page.
    pub next: Option<Cursor>,
}

/// How a replica answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It took the part in and has this.
    Ack(Ack),
    /// It has applied another epoch than the part's: the part changed nothing.
    OtherEpoch(Epoch),
}

/// How far copies are, for those who look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many entries the in-sync replica that has the fewest is behind, at most over the partitions.
    pub lag: u64,
    /// How many copies are being made.
    pub copying: usize,
    /// What the logs take, in bytes.
    pub log_bytes: usize,
}

impl Shards {
    /// Counts effects and passes them on; to be called while the partition is locked.
    pub(super) fn deliver(
        &self,
        id: PartitionId,
        copy: &mut ShardCopy,
        tenant: TenantId,
        now_us: u64,
        effects: &Effects,
    ) {
        if effects.is_empty() {
            return;
        }
        self.effect_counts.add(effects);
        let at_ms = copy.shard.time_ms();
        if let Some(Leading { lead, queues, tap }) = copy.leading_mut() {
            let encode = || change::encode(tenant, at_ms, effects.as_slice().iter());
            match tap {
                None => lead.append(now_us, encode),
                Some(tap) => {
                    let (bytes, size_bytes) = encode();
                    tap.add(&bytes, size_bytes);
                    lead.append(now_us, || (bytes, size_bytes))
                }
            };
            queues.iter().for_each(|queue| queue.mark(id));
            if let Some(sink) = &self.sink {
                sink.effects(id, lead.epoch(), tenant, effects);
            }
        }
    }

    /// Has every replica of a partition told what is new, each by its queue.
    pub(super) fn tell_all(&self, id: PartitionId, leading: &mut Leading) {
        leading.queues = leading.lead.followers().map(|life| self.queue(life)).collect();
        leading.queues.iter().for_each(|queue| queue.mark(id));
    }

    fn queue(&self, to: Life) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(to).or_insert_with(|| Arc::new(Queue::new(to, self.partitions.len())));
        queue.clone()
    }

    /// Closes the queues of all but those that are told something still, and has new ones noticed.
    pub(super) fn settle_queues(&self, told: &BTreeSet<Life>) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|to, queue| {
            let keep = told.contains(to);
            if !keep {
                queue.close();
            }
            keep
        });
        self.replicas.send_if_modified(|lives| {
            let changed = !lives.iter().eq(queues.keys());
            if changed {
                *lives = queues.keys().copied().collect();
            }
            changed
        });
    }

    /// The replicas that this node has something to tell now and then, with every change of them.
    pub fn watch_replicas(&self) -> tokio::sync::watch::Receiver<Vec<Life>> {
        self.replicas.subscribe()
    }

    /// The queue of one of them.
    pub fn queue_to(&self, to: Life) -> Option<Arc<Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).get(&to).cloned()
    }

    /// What to tell a replica of these partitions, about `room_bytes` of it; those that did not fit are marked again.
    /// With a `beat` it is told of those too in which nothing is new.
    pub fn parts(
        &self,
        queue: &Queue,
        partitions: &[PartitionId],
        room_bytes: usize,
        beat: bool,
    ) -> Vec<Outgoing> {
        let mut left = room_bytes;
        let mut outgoing = Vec::new();
        for &id in partitions {
            if left == 0 {
                queue.mark(id);
                continue;
            }
            let Some(told) = self.part(id, queue.to, left, beat) else { continue };
            let entries = told.part.entries.iter().map(|entry| entry.size_bytes).sum::<usize>();
            let page = told.page.as_ref().map_or(0, |page| page.change.len());
            left = left.saturating_sub(entries + page + 64);
            outgoing.push(told);
        }
        outgoing
    }

    fn part(&self, id: PartitionId, to: Life, room_bytes: usize, beat: bool) -> Option<Outgoing> {
        let mut guarded = self.partition(id)?.lock();
        let vouched = matches!(access(&self.look(&guarded), &guarded.owner), Access::Serve { .. });
        let copy = guarded.copy.as_mut()?;
        let lead = &mut copy.leading_mut()?.lead;
        let (part, beat) = match lead.part(to, room_bytes) {
            Some(part) => (part, false),
            None => (lead.beat(to).filter(|_| beat)?, true),
        };
        let Some(head) = part.page else {
            return Some(Outgoing { partition: id, part, page: None, vouched, beat });
        };
        let (tenant, effects, next) = pages::page(copy, head.from, self.stream.page_bytes);
        let at_ms = copy.shard.time_ms();
        copy.leading_mut()?.lead.page_ends(to, head, next);
        drop(guarded);
        self.replication.pages.fetch_add(1, Relaxed);
        // Values share their bytes with the shard: they are copied after the lock is let go.
        let change = match effects.as_slice() {
            [] => Bytes::new(),
            effects => change::encode(tenant, at_ms, effects.iter()).0,
        };
        Some(Outgoing { partition: id, part, page: Some(Page { change, next }), vouched, beat })
    }

    /// A replica answered what it was told in an epoch.
    pub fn acknowledged(&self, queue: &Queue, id: PartitionId, epoch: Epoch, heard: Heard) {
        let Some(partition) = self.partition(id) else { return };
        let now_us = self.clock.mono_us();
        let mut guarded = partition.lock();
        let Some(Leading { lead, queues, .. }) = guarded.leading_in(epoch) else { return };
        match heard {
            Heard::Ack(ack) => {
                if lead.answered(queue.to, ack, now_us) {
                    queues.iter().for_each(|queue| queue.mark_lazily(id));
                    partition.committed.notify_waiters();
                }
                if lead.has_more_for(queue.to) {
                    queue.mark(id);
                }
            }
            Heard::OtherEpoch(_) => {
                lead.failed(queue.to, now_us);
                queue.mark_lazily(id);
            }
        }
        self.heard.notify_waiters();
        if guarded.hand_over.is_some() && guarded.is_drained() {
            self.drained.notify_one();
        }
    }

    /// It is not known whether a replica heard what it was told in an epoch.
    pub fn unheard(&self, queue: &Queue, id: PartitionId, epoch: Epoch) {
        let Some(partition) = self.partition(id) else { return };
        if let Some(leading) = partition.lock().leading_in(epoch) {
            leading.lead.failed(queue.to, self.clock.mono_us());
            queue.mark_lazily(id);
        }
    }

    /// Takes in what another node tells as the primary of a partition, in a call that it made after a time, in
    /// microseconds of this node's clock.
    ///
    /// # Errors
    /// When a change cannot be read: nothing of it was applied, and this copy cannot go on.
    pub fn receive(&self, from: Life, told: Outgoing, made_after: Option<u64>) -> Result<Heard, ChangeError> {
        let Outgoing { partition: id, part, page, vouched, .. } = told;
        let Some(partition) = self.partition(id) else { return Ok(Heard::OtherEpoch(Epoch(0))) };
        let mut guarded = partition.lock();
        let (owner, rng) = (guarded.owner, guarded.random());
        let speaks = owner.primary == Some(from) && owner.epoch == part.epoch;
        let Some(copy) = guarded.copy.as_mut().filter(|_| speaks) else {
            return Ok(Heard::OtherEpoch(owner.epoch));
        };
        let Some(following) = copy.following_mut() else { return Ok(Heard::OtherEpoch(owner.epoch)) };
        let received = following.follow.receive(&part);
        let garbage = if received.begin_empty { self.begin_copy(copy) } else { Vec::new() };
        let cursor = copy.following_mut().and_then(|following| following.cursor);
        self.replication.applied.fetch_add(received.apply.len() as u64, Relaxed);
        for bytes in received.apply {
            self.apply(copy, bytes, cursor, rng)?;
        }
        if let (true, Some(head), Some(page)) = (received.page, part.page, page) {
            if !page.change.is_empty() {
                self.apply(copy, page.change, None, rng)?;
            }
            if let Some(following) = copy.following_mut() {
                following.follow.took(head, page.next.is_none());
                following.cursor = page.next;
            }
        }
        let ack = copy.following_mut().map(|Following { follow, fresh, .. }| {
            fresh.heard(&part, follow, made_after.filter(|_| vouched));
            follow.ack()
        });
        drop(guarded);
        drop(garbage);
        Ok(ack.map_or(Heard::OtherEpoch(owner.epoch), Heard::Ack))
    }

    /// Empties a replica's copy, to make it anew.
    fn begin_copy(&self, copy: &mut ShardCopy) -> Vec<Discarded> {
        if let Some(following) = copy.following_mut() {
            following.cursor = Some(Cursor::default());
        }
        self.retire(copy)
    }

    /// Applies a change; of a copy in the making, what a page is still to bring is left out.
    pub(super) fn apply(
        &self,
        copy: &mut ShardCopy,
        bytes: Bytes,
        cursor: Option<Cursor>,
        rng: u64,
    ) -> Result<(), ChangeError> {
        let now = self.now();
        let change = change::decode(bytes, now.now_ms)?;
        let table = self.tenants.load();
        // This node has applied what the primary had: a tenant that is not here was removed.
        let Some(pool) = copy.pool(&table, change.tenant) else { return Ok(()) };
        let now = super::partition::Moment { now_ms: change.at_ms, ..now };
        let (shard, cx) = copy.on(change.tenant, pool, now, rng);
        for effect in &change.effects {
            let later = |cursor: Cursor| {
                let position = effect.key().map(|key| shard.position(key).bits());
                position.is_some_and(|position| Cursor { tenant: change.tenant, position } >= cursor)
            };
            if !cursor.is_some_and(later) {
                shard.apply(&cx, effect);
            }
        }
        Ok(())
    }

    /// The changes of in-sync sets that are due, of the partitions whose primary this node is.
    pub fn changes(&self) -> Vec<(PartitionId, SetChange)> {
        if !self.lease.is_valid() {
            return Vec::new();
        }
        let now_us = self.clock.mono_us();
        let due = |partition: &super::Partition| {
            let mut guarded = partition.lock();
            let owner = guarded.owner;
            let leading = guarded.leading_in(owner.epoch)?;
            Some((partition.id, leading.lead.change(now_us)?))
        };
        self.partitions.iter().filter_map(due).collect()
    }

    /// A change that was due came to nothing for sure (`certain`), or may have.
    pub fn not_changed(&self, id: PartitionId, change: &SetChange, certain: bool) {
        let Some(partition) = self.partition(id) else { return };
        if let Some(leading) = partition.lock().leading_in(change.epoch) {
            leading.lead.not_changed(change.epoch, change.version, certain, self.clock.mono_us());
        }
    }

    /// The last entry of a whole copy of a partition here, and the last that its primary is known to have had; `None`:
    /// there is none.
    pub fn survey(&self, id: PartitionId) -> Option<(Sequence, Sequence)> {
        let mut guarded = self.partition(id)?.lock();
        match guarded.copy.as_mut()?.following_mut() {
            Some(Following { follow, .. }) => follow.is_whole().then(|| (follow.last(), follow.known())),
            None => guarded.leading().map(|leading| (leading.lead.last(), leading.lead.last())),
        }
    }

    /// How far the copies are of the partitions whose primary this node is.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::default();
        for partition in &self.partitions {
            if let Some(Leading { lead, .. }) = partition.lock().leading() {
                progress.lag = progress.lag.max(lead.lag());
                progress.copying += lead.copying();
                progress.log_bytes += lead.log_bytes();
            }
        }
        progress
    }

    /// A partition's epoch and its last change, if this node is its primary.
    pub fn last_change(&self, id: PartitionId) -> Option<(Epoch, Sequence)> {
        let guarded = self.partition(id)?.lock();
        let lead = &guarded.leading()?.lead;
        Some((lead.epoch(), lead.last()))
    }

    /// How many replicas have everything up to a change that was made in an epoch; `None`: this node is not the
    /// primary any more.
    pub fn holders(&self, id: PartitionId, epoch: Epoch, at: Sequence) -> Option<usize> {
        let mut guarded = self.partition(id)?.lock();
        guarded.leading_in(epoch).map(|leading| leading.lead.holders(at))
    }

    /// How many replicas this node tells what it does.
    pub fn replica_count(&self) -> usize {
        self.replicas.borrow().len()
    }

    /// Resolves when a replica next answers.
    pub fn heard(&self) -> tokio::sync::futures::Notified<'_> {
        self.heard.notified()
    }

    /// What replication counted.
    pub fn replication_counts(&self) -> &ReplicationCounts {
        &self.replication
    }
}
