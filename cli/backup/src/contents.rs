//! What a partition's file holds, in its order: the header, pages, changes, the trailer.
//!
//! Payloads of pages and changes are encoded `predis.replica.v1.Change`s, as they travel between members. Holds every
//! frame against what may stand there; does not know what the index says.

use crate::{
    Damage,
    frame::{Frame, Frames, Kind},
};
use bytes::Bytes;
use predis_proto::replica::{self as wire, effect::Kind as Effect};
use predis_types::ClusterId;
use prost::Message;
use std::io::Read;

/// Whose partition a file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The cluster.
    pub(crate) cluster: ClusterId,
    /// Which of its partitions.
    pub(crate) partition: u16,
    /// How many it has.
    pub(crate) partition_count: u16,
}

/// What a file says at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// The partition's epoch at the cut.
    pub(crate) epoch: u64,
    /// The last change that is in.
    pub(crate) sequence: u64,
    /// How many pages there are.
    pub(crate) pages: u64,
    /// How many keys are on them.
    pub(crate) keys: u64,
    /// How many changes follow.
    pub(crate) changes: u64,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (partition, count) = (self.partition.to_le_bytes(), self.partition_count.to_le_bytes());
        [&self.cluster.0.to_le_bytes()[..], &partition, &count].concat()
    }

    fn decode(payload: &[u8]) -> Option<Header> {
        let (cluster, rest) = payload.split_first_chunk()?;
        let (partition, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        rest.is_empty().then(|| Header {
            cluster: ClusterId(u128::from_le_bytes(*cluster)),
            partition: u16::from_le_bytes(*partition),
            partition_count: u16::from_le_bytes(*count),
        })
    }
}

impl Trailer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let numbers = [self.epoch, self.sequence, self.pages, self.keys, self.changes];
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn decode(payload: &[u8]) -> Option<Trailer> {
        let (chunks, rest) = payload.as_chunks::<8>();
        let [epoch, sequence, pages, keys, changes] = chunks else { return None };
        let [epoch, sequence, pages, keys, changes] =
            [epoch, sequence, pages, keys, changes].map(|number| u64::from_le_bytes(*number));
        rest.is_empty().then_some(Trailer { epoch, sequence, pages, keys, changes })
    }
}

/// A change, if the bytes are one and it says no more than this version knows.
pub(crate) fn changes_of(bytes: Bytes) -> Option<wire::Change> {
    let change = wire::Change::decode(bytes).ok()?;
    change.effects.iter().all(|effect| effect.kind.is_some()).then_some(change)
}

/// The key that an effect of a page sets.
pub(crate) fn set_of(effect: wire::Effect) -> Option<wire::Set> {
    match effect.kind? {
        Effect::Set(set) => Some(set),
        _ => None,
    }
}

/// What a file holds, one after the other.
#[derive(Debug)]
pub(crate) enum Item {
    /// Keys, all of them set.
    Page(wire::Change),
    /// What was done to keys.
    Change(wire::Change),
}

/// Reads a partition's file and holds it against its own rules.
pub(crate) struct Contents<R> {
    frames: Frames<R>,
    header: Header,
    seen: Trailer,
    changes_at: Option<u64>,
    trailer: Option<Trailer>,
}

impl<R: Read> Contents<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// When it is no file of a backup, or damaged.
    pub(crate) fn begin(from: R) -> Result<Contents<R>, Damage> {
        let mut frames = Frames::begin(from)?;
        let first = frames.next()?.ok_or(Damage::Truncated(crate::frame::PREFIX_BYTES))?;
        let header = Some(&first).filter(|frame| frame.kind == Kind::Header);
        let header = header.and_then(|frame| Header::decode(&frame.payload));
        let header = header.ok_or(Damage::Frame { at: first.at, rule: "is no header" })?;
        Ok(Contents { frames, header, seen: Trailer::default(), changes_at: None, trailer: None })
    }

    /// Whose partition it is.
    pub(crate) fn header(&self) -> Header {
        self.header
    }

    /// Where the changes begin; `None`: there are none, or they were not come to.
    pub(crate) fn changes_at(&self) -> Option<u64> {
        self.changes_at
    }

    /// What it says at its end, once that was come to.
    pub(crate) fn trailer(&self) -> Option<Trailer> {
        self.trailer
    }

    /// The next page or change; `None` at the end, if it is a good one.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Damage> {
        let Some(frame) = self.frames.next()? else {
            return match self.trailer {
                Some(_) => Ok(None),
                None => Err(Damage::Truncated(self.frames.at())),
            };
        };
        let Frame { kind, at, payload } = frame;
        if self.trailer.is_some() {
            return Err(Damage::GoesOn(at));
        }
        let damaged = |rule| Damage::Frame { at, rule };
        match kind {
            Kind::Header => Err(damaged("is another header")),
            Kind::Page if self.seen.changes > 0 => Err(damaged("is a page behind changes")),
            Kind::Page => {
                let page = page_of(payload).ok_or_else(|| damaged("is no page of keys"))?;
                self.seen.pages += 1;
                self.seen.keys += page.effects.len() as u64;
                Ok(Some(Item::Page(page)))
            }
            Kind::Change => {
                let change = changes_of(payload).ok_or_else(|| damaged("is no change"))?;
                self.seen.changes += 1;
                self.changes_at.get_or_insert(at);
                Ok(Some(Item::Change(change)))
            }
            Kind::Trailer => {
                let trailer = Trailer::decode(&payload).ok_or_else(|| damaged("is no trailer"))?;
                let Trailer { epoch, sequence, .. } = trailer;
                if trailer != (Trailer { epoch, sequence, ..self.seen }) {
                    return Err(damaged("counts other frames than there are"));
                }
                self.trailer = Some(trailer);
                self.next()
            }
        }
    }
}

/// A change that does nothing but set keys.
pub(crate) fn page_of(bytes: Bytes) -> Option<wire::Change> {
    let page = changes_of(bytes)?;
    let sets = |effect: &wire::Effect| matches!(effect.kind, Some(Effect::Set(_)));
    page.effects.iter().all(sets).then_some(page)
}
