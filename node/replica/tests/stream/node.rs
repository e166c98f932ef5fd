//! One node as it has the partition: its copy and what it does with it. What decides is the real code.
//!
//! ```text
//! Agreed --apply: copy_step--> Copy { Lead | Follow, data }      Message --hear--> Ack
//! ```
//! `history` is what the copy should be: every change that made it, in order. It is carried beside the data, by
//! pages too, and decides nothing.

use super::agreed::Agreed;
use predis_replica::{
    Ack, CopyStep, Cursor, Follow, Freshness, Held, Lead, Life, Members, PageHead, Part, Role, StreamConfig,
    copy_step,
};
use predis_types::{Epoch, TenantId};
use std::collections::BTreeMap;

/// What is made wrong on purpose, besides planted bugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutation {
    None,
    /// A copy goes on though the partition began anew in between.
    LostIgnored,
    /// A copy goes on only if its node has heard that it was in sync.
    OnlyIfHeard,
    /// Every replica's copy goes on when one's does.
    AllRecovered,
    /// A copy goes on behind the others though it may show what is not committed.
    DirtyGoesOn,
    /// A replica takes what comes late from an earlier session.
    LateTaken,
    /// A primary takes an answer of an earlier session for one of this.
    LateAnswered,
    /// A replica takes in what a primary says that has applied more than it.
    AheadTaken,
    /// A primary is not told that the outcome of what it proposed is unknown.
    OutcomeNotTold,
}

/// A change of one key; the partition's `lost` at that time tells generations apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    pub lost: u64,
    pub key: u64,
    /// `None`: it is removed.
    pub value: Option<u64>,
}

/// Keys and values.
pub type Data = BTreeMap<u64, u64>;

pub fn apply_to(data: &mut Data, change: Change) {
    match change.value {
        Some(value) => data.insert(change.key, value),
        None => data.remove(&change.key),
    };
}

/// A page of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    pub entries: Vec<(u64, u64)>,
    pub next: Option<u64>,
    history: Vec<Change>,
}

/// What a primary tells a replica, on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub from: Life,
    pub to: Life,
    /// How much of the agreed log the sender had applied.
    pub applied: usize,
    pub part: Part<Change>,
    pub page: Option<Page>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    Lead(Lead<Change>),
    Follow(Follow<Change>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Copy {
    pub stream: Stream,
    /// Whether it shows only what is committed, as a replica.
    pub fresh: Freshness,
    pub data: Data,
    pub history: Vec<Change>,
    pub lost: u64,
    /// From which key on a copy in the making has nothing yet.
    cursor: u64,
    /// Stopped, with everything at everybody in sync, to be given away.
    pub drained: bool,
}

impl Copy {
    fn new(stream: Stream, lost: u64) -> Copy {
        let fresh = Freshness::default();
        Copy { stream, fresh, data: Data::new(), history: Vec::new(), lost, cursor: 0, drained: false }
    }

    pub fn epoch(&self) -> Epoch {
        match &self.stream {
            Stream::Lead(lead) => lead.epoch(),
            Stream::Follow(follow) => follow.epoch(),
        }
    }

    pub fn is_whole(&self) -> bool {
        matches!(&self.stream, Stream::Lead(_)) || self.following().is_some_and(Follow::is_whole)
    }

    pub fn lead(&self) -> Option<&Lead<Change>> {
        if let Stream::Lead(lead) = &self.stream { Some(lead) } else { None }
    }

    pub fn lead_mut(&mut self) -> Option<&mut Lead<Change>> {
        if let Stream::Lead(lead) = &mut self.stream { Some(lead) } else { None }
    }

    pub fn following(&self) -> Option<&Follow<Change>> {
        if let Stream::Follow(follow) = &self.stream { Some(follow) } else { None }
    }

    /// What its data would be if it became primary now: what made it, and what is in its log.
    pub fn everything(&self, me: Life) -> Vec<Change> {
        let mut all = self.history.clone();
        if let Some(follow) = self.following() {
            let (_, behind, _) = follow.clone().promote(me, Epoch(u64::MAX), Members::default(), 0);
            all.extend(behind);
        }
        all
    }

    /// What it takes for committed.
    pub fn settled(&self) -> &[Change] {
        match &self.stream {
            Stream::Lead(lead) => &self.history[..lead.committed().0 as usize],
            Stream::Follow(_) => &self.history,
        }
    }

    fn take(&mut self, change: Change) {
        apply_to(&mut self.data, change);
        self.history.push(change);
    }

    fn held(&self) -> Held {
        let role = match self.stream {
            Stream::Lead(_) => Role::Lead { drained: self.drained },
            Stream::Follow(_) => Role::Follow,
        };
        let clean = self.following().is_some_and(|follow| self.fresh.is_clean(follow));
        Held { epoch: self.epoch(), lost: self.lost, whole: self.is_whole(), clean, role }
    }

    /// A page from a key on, of no more than `limit` keys.
    fn page(&self, from: u64, limit: usize) -> Page {
        let mut keys = self.data.range(from..);
        let entries = keys.by_ref().take(limit).map(|(&key, &value)| (key, value)).collect();
        Page { entries, next: keys.next().map(|(&key, _)| key), history: self.history.clone() }
    }
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub life: Life,
    /// How much of the agreed log it has applied.
    pub applied: usize,
    pub copy: Option<Copy>,
    /// Whether it may acknowledge anything.
    pub lease: bool,
}

impl Node {
    pub fn lead(&self) -> Option<&Lead<Change>> {
        self.copy.as_ref()?.lead()
    }

    pub fn lead_mut(&mut self) -> Option<&mut Lead<Change>> {
        self.copy.as_mut()?.lead_mut()
    }

    /// Applies an agreed state; `heard` tells whether it was in sync by the one that it applied before.
    pub fn apply(&mut self, state: &Agreed, heard: bool, mutation: Mutation, config: StreamConfig) {
        let (members, me) = (state.members(), self.life);
        let held = self.copy.as_ref().map(Copy::held).map(|held| mutated(held, heard, mutation, &members));
        let (epoch, lost) = (state.owner.epoch, members.lost);
        match (copy_step(me, held.as_ref(), &state.owner, &members), self.copy.take()) {
            (CopyStep::None | CopyStep::Discard, _) => {}
            (CopyStep::Lead { empty: true }, _) => {
                let lead = Lead::new(me, epoch, members, 0, config);
                self.copy = Some(Copy::new(Stream::Lead(lead), lost));
            }
            (CopyStep::Follow { empty: true }, _) => {
                self.copy = Some(Copy::new(Stream::Follow(Follow::new(epoch, config)), lost));
            }
            (CopyStep::Keep, Some(mut copy)) => {
                if let Stream::Lead(lead) = &mut copy.stream {
                    lead.observed(members, 0);
                }
                self.copy = Some(copy);
            }
            (CopyStep::Lead { empty: false }, Some(copy)) => {
                let (lead, behind) = match copy.stream {
                    Stream::Lead(lead) => (lead.again(epoch, members, 0), Vec::new()),
                    Stream::Follow(follow) => {
                        let (lead, behind, _) = follow.promote(me, epoch, members, 0);
                        (lead, behind)
                    }
                };
                let mut copy = Copy { stream: Stream::Lead(lead), lost, drained: false, ..copy };
                behind.into_iter().for_each(|change| copy.take(change));
                self.copy = Some(copy);
            }
            (CopyStep::Follow { empty: false }, Some(copy)) => {
                let in_sync = state.in_sync.contains(&me);
                let follow = match copy.stream {
                    Stream::Lead(lead) => lead.retire(epoch),
                    Stream::Follow(follow) => follow.again(epoch, in_sync),
                };
                let fresh = copy.fresh.again(follow.applied());
                self.copy =
                    Some(Copy { stream: Stream::Follow(follow), fresh, lost, drained: false, ..copy });
            }
            (CopyStep::Keep | CopyStep::Lead { .. } | CopyStep::Follow { .. }, None) => {
                unreachable!("what is not there cannot go on")
            }
        }
    }

    /// Changes a key, as the primary.
    pub fn append(&mut self, key: u64, value: Option<u64>) {
        if let Some(copy) = &mut self.copy {
            let change = Change { lost: copy.lost, key, value };
            copy.take(change);
            if let Some(lead) = copy.lead_mut() {
                lead.append(0, || (change, 1));
            }
        }
    }

    /// What to tell a replica, in entries and keys of a page.
    pub fn message(&mut self, to: Life, (room, page_keys): (usize, usize)) -> Option<Message> {
        let (from, applied) = (self.life, self.applied);
        let copy = self.copy.as_mut()?;
        let part = copy.lead_mut()?.part(to, room)?;
        let page = part.page.map(|head| copy.page(head.from.position, page_keys));
        if let (Some(head), Some(page)) = (part.page, &page) {
            copy.lead_mut()?.page_ends(to, head, page.next.map(cursor));
        }
        Some(Message { from, to, applied, part, page })
    }

    /// Whether it would take a message in at all, now.
    pub fn hears(&self, message: &Message, mutation: Mutation) -> bool {
        let follows = self.copy.as_ref().and_then(Copy::following);
        self.life == message.to
            && (self.applied >= message.applied || mutation == Mutation::AheadTaken)
            && follows.is_some_and(|follow| follow.epoch() == message.part.epoch)
    }

    /// Takes a message in; `None`: it is not for it. Tells also whether it began empty.
    pub fn hear(&mut self, message: &Message, mutation: Mutation) -> Option<(Ack, bool)> {
        let copy = self.copy.as_mut()?;
        let Stream::Follow(follow) = &mut copy.stream else { return None };
        let session = if mutation == Mutation::LateTaken { 0 } else { message.part.session };
        let received = follow.receive(&Part { session, ..message.part.clone() });
        let whole = follow.is_whole();
        if received.begin_empty {
            (copy.data, copy.history, copy.cursor) = (Data::new(), Vec::new(), 0);
        }
        for change in received.apply {
            if whole {
                copy.take(change);
            } else if change.key < copy.cursor {
                apply_to(&mut copy.data, change);
            }
        }
        if let (true, Some(head), Some(page)) = (received.page, message.part.page, &message.page) {
            copy.turn(head, page);
        }
        let Stream::Follow(follow) = &copy.stream else { return None };
        copy.fresh.heard(&message.part, follow, None);
        let ack = follow.ack();
        let session = if mutation == Mutation::LateTaken { message.part.session } else { ack.session };
        Some((Ack { session, ..ack }, received.begin_empty))
    }
}

impl Copy {
    /// Takes a page up.
    fn turn(&mut self, head: PageHead, page: &Page) {
        self.data.extend(page.entries.iter().copied());
        if let Stream::Follow(follow) = &mut self.stream {
            follow.took(head, page.next.is_none());
            self.cursor = page.next.unwrap_or(0);
            if follow.is_whole() {
                self.history.clone_from(&page.history);
            }
        }
    }
}

fn cursor(position: u64) -> Cursor {
    Cursor { tenant: TenantId(0), position }
}

fn mutated(held: Held, heard: bool, mutation: Mutation, members: &Members) -> Held {
    match mutation {
        Mutation::AllRecovered if members.recovered => Held { lost: members.lost, ..held },
        Mutation::LostIgnored => Held { lost: members.lost, ..held },
        Mutation::OnlyIfHeard => Held { whole: held.whole && heard, clean: false, ..held },
        Mutation::DirtyGoesOn => Held { clean: held.whole, ..held },
        _ => held,
    }
}
