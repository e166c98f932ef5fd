//! A primary's side: numbers what changes, brings every replica up to date, knows what is committed, and who
//! should be in sync.

use super::{
    Ack, Cursor, Entry, Members, PageHead, Part, StreamConfig,
    follow::Tail,
    log::Log,
    peer::{Copying, Peer, Stage, UnderWay},
};
use crate::Life;
use predis_types::planted::{self, Bug};
use predis_types::{Epoch, Sequence};
use std::collections::{BTreeMap, BTreeSet};

/// A change of the in-sync set to be proposed: a compare-and-set on epoch and version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetChange {
    /// The partition's epoch.
    pub epoch: Epoch,
    /// The version of the sets that it is a change of.
    pub version: u64,
    /// The new set.
    pub in_sync: BTreeSet<Life>,
}

/// A change that was proposed and of which it is not known that it came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    /// Everybody whom any of them would add.
    adding: BTreeSet<Life>,
    /// When it may be proposed again, in microseconds; `None` while the answer is awaited.
    again_at: Option<u64>,
}

/// The primary of one partition in one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lead<T> {
    me: Life,
    epoch: Epoch,
    config: StreamConfig,
    log: Log<T>,
    committed: Sequence,
    /// Up to where its log is of earlier epochs: any of that may have been committed then.
    inherited: Sequence,
    members: Members,
    peers: BTreeMap<Life, Peer>,
    asked: Option<Asked>,
    copies: u64,
    sessions: u64,
}

impl<T: Clone> Lead<T> {
    /// The primary of a partition that begins empty.
    pub fn new(me: Life, epoch: Epoch, members: Members, now: u64, config: StreamConfig) -> Lead<T> {
        let log = Log::new(Sequence(0));
        Lead::with(me, epoch, (log, Sequence(0)), members, now, config)
    }

    pub(super) fn with(
        me: Life,
        epoch: Epoch,
        (log, committed): (Log<T>, Sequence),
        members: Members,
        now: u64,
        config: StreamConfig,
    ) -> Lead<T> {
        let inherited = log.last();
        let mut lead = Lead {
            me,
            epoch,
            config,
            log,
            committed,
            inherited,
            members: Members::default(),
            peers: BTreeMap::new(),
            asked: None,
            copies: 0,
            sessions: 0,
        };
        lead.observed(members, now);
        lead
    }

    /// The same primary in a later epoch, which it was given without a break.
    #[must_use]
    pub fn again(self, epoch: Epoch, members: Members, now: u64) -> Lead<T> {
        Lead::with(self.me, epoch, (self.log, self.committed), members, now, self.config)
    }

    /// What becomes of it once another one leads: only to be asked for when everybody in sync had everything, and
    /// nothing was added since.
    pub fn retire(self, epoch: Epoch) -> super::Follow<T> {
        let tail = Tail { applied: self.log.last(), log: self.log };
        super::Follow::with(epoch, tail, self.config)
    }

    /// The epoch in which it leads.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last change.
    pub fn last(&self) -> Sequence {
        self.log.last()
    }

    /// The last change that everybody in sync has.
    pub fn committed(&self) -> Sequence {
        self.committed
    }

    /// Who holds the partition, as it was last told.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// What its log takes, in bytes.
    pub fn log_bytes(&self) -> usize {
        self.log.size_bytes()
    }

    /// The replicas besides itself.
    pub fn followers(&self) -> impl Iterator<Item = Life> + '_ {
        self.peers.keys().copied()
    }

    /// How many replicas have everything up to a change.
    pub fn holders(&self, at: Sequence) -> usize {
        self.peers.values().filter(|peer| peer.stage == Stage::Streaming && peer.matched >= at).count()
    }

    /// How many entries the replica in sync that has the fewest is behind.
    pub fn lag(&self) -> u64 {
        self.last().0 - self.committed.0
    }

    /// How many copies are being made.
    pub fn copying(&self) -> usize {
        self.peers.values().filter(|peer| matches!(peer.stage, Stage::Copying(_))).count()
    }

    /// Adds a change. `payload` and its size in bytes are asked for only if somebody is to be told.
    pub fn append(&mut self, now: u64, payload: impl FnOnce() -> (T, usize)) -> Sequence {
        if self.peers.is_empty() {
            self.log.skip();
        } else {
            let (payload, size_bytes) = payload();
            self.log.push(Entry { epoch: self.epoch, size_bytes, payload });
            for peer in self.peers.values_mut() {
                peer.owes_since.get_or_insert(now);
            }
            self.trim(now);
        }
        self.commit();
        self.log.last()
    }

    /// Takes note of who holds the partition in this epoch; whoever is in sync is seated.
    pub fn observed(&mut self, members: Members, now: u64) {
        if members.version != self.members.version {
            self.asked = None;
        }
        // Where versions were skipped, one that is not in sync may have lost its seat, and with it what it had.
        let skipped = members.version > self.members.version + 1;
        self.members = members;
        let Members { seated, in_sync, .. } = &self.members;
        self.peers.retain(|life, _| seated.contains(life) && (in_sync.contains(life) || !skipped));
        for life in seated.iter().filter(|life| **life != self.me) {
            self.peers.entry(*life).or_insert_with(|| {
                self.sessions += 1;
                Peer::new(self.sessions, now)
            });
        }
        for (life, peer) in &mut self.peers {
            // One that has left the set can have a copy: what it has is found out anew.
            if peer.stage == Stage::Unfit && !self.members.in_sync.contains(life) {
                peer.stage = Stage::Unknown;
            }
        }
        self.commit();
    }

    /// What to tell a replica now, entries of no more than `room_bytes` (but at least one); `None`: nothing, or it
    /// is none. Until [`Lead::answered`] or [`Lead::failed`] nothing more may be asked for.
    pub fn part(&mut self, to: Life, room_bytes: usize) -> Option<Part<T>> {
        let (last, committed, epoch) = (self.log.last(), self.committed, self.epoch);
        let may_copy = !self.counts(to);
        let peer = self.peers.get_mut(&to)?;
        let (session, first) = (peer.session, Sequence(0));
        let ask = Part { epoch, session, first, entries: Vec::new(), committed, last, page: None };
        match &mut peer.stage {
            Stage::Unfit => None,
            Stage::Unknown => Some(ask),
            Stage::Copying(Copying { under_way: Some(_), .. }) => Some(ask),
            Stage::Streaming | Stage::Copying(_) if peer.sent < self.log.base() => {
                // What it would need next is kept no more.
                if may_copy {
                    self.copies += 1;
                    peer.begin_copy(self.copies, last);
                    return self.part(to, room_bytes);
                }
                peer.stage = Stage::Unfit;
                None
            }
            stage => {
                let (mut bytes, first) = (0, peer.sent.next());
                let fits = |entry: &&Entry<T>| {
                    let begun = bytes > 0;
                    bytes += entry.size_bytes.max(1);
                    !begun || bytes <= room_bytes
                };
                let entries: Vec<Entry<T>> = self.log.from(first).take_while(fits).cloned().collect();
                peer.sent = Sequence(peer.sent.0 + entries.len() as u64);
                let page = match stage {
                    Stage::Copying(copying) if peer.sent == last => Some(PageHead {
                        copy: copying.copy,
                        index: copying.pages,
                        at: last,
                        from: copying.from,
                    }),
                    _ => None,
                };
                if entries.is_empty() && page.is_none() && peer.told >= committed {
                    return None;
                }
                peer.told = committed;
                Some(Part { first, entries, page, ..ask })
            }
        }
    }

    /// What to tell a replica that has been told everything, so that it knows: instead of a part, when there is none.
    pub fn beat(&self, to: Life) -> Option<Part<T>> {
        let peer = self.peers.get(&to).filter(|peer| peer.stage == Stage::Streaming)?;
        Some(Part {
            epoch: self.epoch,
            session: peer.session,
            first: Sequence(0),
            entries: Vec::new(),
            committed: self.committed,
            last: self.log.last(),
            page: None,
        })
    }

    /// Whether [`Lead::part`] has more than news of what is committed.
    pub fn has_more_for(&self, to: Life) -> bool {
        self.peers.get(&to).is_some_and(|peer| match peer.stage {
            Stage::Unfit => false,
            Stage::Streaming => peer.sent < self.log.last(),
            Stage::Unknown | Stage::Copying(_) => true,
        })
    }

    /// The page that the last part to a replica asked for ends here; `None`: it is the last one.
    pub fn page_ends(&mut self, to: Life, head: PageHead, next: Option<Cursor>) {
        if let Some(Peer { stage: Stage::Copying(copying), .. }) = self.peers.get_mut(&to) {
            copying.under_way = Some(UnderWay { at: head.at, next });
        }
    }

    /// A replica answered a part of this epoch. True when more is committed than before.
    pub fn answered(&mut self, from: Life, ack: Ack, now: u64) -> bool {
        let (last, base) = (self.log.last(), self.log.base());
        let may_copy = !self.counts(from);
        let Some(peer) = self.peers.get_mut(&from) else { return false };
        if ack.session != peer.session || ack.matched > last {
            // It speaks of what it had before, or of an epoch that this primary knows nothing of.
            return false;
        }
        if peer.answered(ack, base) {
            if may_copy {
                self.copies += 1;
                peer.begin_copy(self.copies, last);
            } else {
                peer.stage = Stage::Unfit;
            }
        }
        peer.owes_since = (peer.matched < last || peer.stage == Stage::Unfit).then_some(now);
        self.trim(now);
        self.commit()
    }

    /// It is not known whether the last part arrived, or the replica could not take it yet.
    pub fn failed(&mut self, to: Life, now: u64) {
        if let Some(peer) = self.peers.get_mut(&to) {
            peer.owes_since.get_or_insert(now);
            self.sessions += 1;
            peer.failed(self.sessions);
        }
    }

    /// The change of the in-sync set to propose now, if one is due: without those that owe an answer for too long,
    /// with those that have everything that is committed, or was before this epoch.
    pub fn change(&mut self, now: u64) -> Option<SetChange> {
        let version = self.members.version;
        if self.asked.as_ref().is_some_and(|asked| asked.again_at.is_none_or(|at| now < at)) {
            return None;
        }
        let mut in_sync = self.wanted(now);
        if in_sync == self.members.in_sync {
            // Those that an earlier proposal may still add are waited for until the sets change, one way or another.
            let adding = self.asked.iter().flat_map(|asked| &asked.adding);
            in_sync.extend(adding.filter(|life| self.peers.contains_key(life)));
        }
        if in_sync == self.members.in_sync {
            return None;
        }
        let adding = in_sync.difference(&self.members.in_sync).copied();
        let asked = self.asked.get_or_insert_with(|| Asked { adding: BTreeSet::new(), again_at: None });
        asked.again_at = None;
        asked.adding.extend(adding);
        if planted::active(Bug::ShrinkWithoutCommit) {
            self.members.in_sync.retain(|life| in_sync.contains(life));
        }
        Some(SetChange { epoch: self.epoch, version, in_sync })
    }

    /// Who should be in sync.
    fn wanted(&self, now: u64) -> BTreeSet<Life> {
        let Members { seated, in_sync, apart, .. } = &self.members;
        let complete = !apart.contains(&self.me)
            && seated.iter().all(|life| apart.contains(life) || in_sync.contains(life));
        let stays = |life: &Life| {
            let Some(peer) = self.peers.get(life) else { return *life == self.me };
            !self.is_late(peer, now) && peer.stage != Stage::Unfit && !(complete && apart.contains(life))
        };
        let joins = |(life, peer): (&Life, &Peer)| {
            let ready = peer.stage == Stage::Streaming
                && peer.matched >= self.committed.max(self.inherited)
                && peer.shows.is_some_and(|shows| shows <= self.committed)
                && !self.is_late(peer, now);
            (ready && !in_sync.contains(life) && !apart.contains(life)).then_some(*life)
        };
        let staying = in_sync.iter().copied().filter(stays);
        staying.chain(self.peers.iter().filter_map(joins)).collect()
    }

    fn is_late(&self, peer: &Peer, now: u64) -> bool {
        peer.owes_since.is_some_and(|since| now.saturating_sub(since) >= self.config.patience_us)
    }

    /// The change proposed for this epoch and version came to nothing for sure (`certain`), or may have.
    pub fn not_changed(&mut self, epoch: Epoch, version: u64, certain: bool, now: u64) {
        if (epoch, version) != (self.epoch, self.members.version) {
            return;
        }
        if let Some(asked) = &mut self.asked {
            // Those that it would add go on to count: an earlier proposal may still be under way.
            asked.again_at = Some(if certain { now } else { now.saturating_add(self.config.retry_us) });
        }
    }

    /// Whether everybody in sync has everything, and this replica is one of them: so it may take over.
    pub fn may_hand_over_to(&self, to: Life) -> bool {
        to != self.me && self.members.in_sync.contains(&to) && self.lag() == 0
    }

    /// Whether a replica is in the way of commitment: in sync, or perhaps.
    fn counts(&self, life: Life) -> bool {
        self.members.in_sync.contains(&life)
            || self.asked.as_ref().is_some_and(|asked| asked.adding.contains(&life))
    }

    fn commit(&mut self) -> bool {
        let before = self.committed;
        let counted = self.peers.iter().filter(|(life, _)| self.counts(**life));
        let lowest = counted.map(|(_, peer)| peer.matched).min();
        let mut committed = lowest.unwrap_or(self.log.last());
        if planted::active(Bug::AckBeforeInSync) {
            committed = self.log.last();
        }
        self.committed = before.max(committed);
        before < self.committed
    }

    /// Keeps what somebody may still ask for, within bounds.
    fn trim(&mut self, now: u64) {
        // Nothing is kept for one that may not come back, unless it is in sync.
        let waits = |(life, peer): &(&Life, &Peer)| {
            let gets = matches!(peer.stage, Stage::Streaming | Stage::Copying(_)) && !self.is_late(peer, now);
            peer.stage != Stage::Unfit && (gets || self.counts(**life))
        };
        let needed = self.peers.iter().filter(waits).map(|(_, peer)| peer.matched);
        let spared = needed.min().unwrap_or(self.log.last()).min(self.committed);
        self.log.trim(spared, self.config.keep_bytes);
        self.log.trim(self.log.last(), self.config.most_bytes);
    }
}
