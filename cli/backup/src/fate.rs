//! What became of keys while the pages of a backup were read: the changes of a partition, by key, over its pages.
//!
//! ```text
//! changes, in order --> a fate a key --.
//! pages, one at a time ----------------+--> every key once, as it was at the cut
//! ```
//! Takes memory for the changes, which are bounded where a backup is made, not for the pages. A page may show some of
//! the changes already: they are absolute, and an expiry is set only of keys that are there, so doing them again comes to
//! the same. Does not know files.

use bytes::{Bytes, BytesMut};
use predis_proto::replica::{Change, Set, effect::Kind};
use predis_types::limits::MAX_BULK_BYTES;
use std::collections::{BTreeMap, BTreeSet};

/// A key as it was at the cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose.
    pub tenant: u32,
    /// The key.
    pub key: Bytes,
    /// Its value, a string.
    pub value: Bytes,
    /// When it expires, in milliseconds since the Unix epoch; may have passed.
    pub expire_at_ms: Option<u64>,
}

/// What a key holds before what was done to it.
#[derive(Clone, Debug)]
enum Base {
    /// Whatever a page says, or nothing.
    Page,
    Absent,
    Set {
        value: Bytes,
        expire_at_ms: Option<u64>,
    },
}

#[derive(Clone, Debug)]
enum Step {
    Write { offset: u64, bytes: Bytes },
    Expire(Option<u64>),
}

/// What became of one key.
#[derive(Clone, Debug)]
struct Fate {
    base: Base,
    steps: Vec<Step>,
}

impl From<Base> for Fate {
    fn from(base: Base) -> Fate {
        Fate { base, steps: Vec::new() }
    }
}

impl Fate {
    /// Value and expiry in the end; `None`: there is no such key.
    fn end(self, page: Option<(Bytes, Option<u64>)>) -> Option<(Bytes, Option<u64>)> {
        let mut held = match self.base {
            Base::Page => page,
            Base::Absent => None,
            Base::Set { value, expire_at_ms } => Some((value, expire_at_ms)),
        };
        for step in self.steps {
            match step {
                Step::Write { offset, bytes } => held = write(held, offset, &bytes),
                Step::Expire(at) => held = held.map(|(value, _)| (value, at)),
            }
        }
        held
    }
}

/// Writes into a string as a replica does: what is beyond the longest one is left undone.
fn write(held: Option<(Bytes, Option<u64>)>, offset: u64, bytes: &[u8]) -> Option<(Bytes, Option<u64>)> {
    let end = usize::try_from(offset).ok().and_then(|offset| offset.checked_add(bytes.len()));
    let Some(end) = end.filter(|end| *end <= MAX_BULK_BYTES) else { return held };
    let (value, expire_at_ms) = held.unwrap_or_default();
    let mut value = value.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    if value.len() < end {
        value.resize(end, 0);
    }
    value[end - bytes.len()..end].copy_from_slice(bytes);
    Some((value.freeze(), expire_at_ms))
}

/// What became of the keys of a partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fates {
    keys: BTreeMap<(u32, Bytes), Fate>,
    /// Tenants all of whose keys went at some time: what their pages say counts for nothing.
    flushed: BTreeSet<u32>,
}

impl Fates {
    /// Notes the next change.
    pub(crate) fn add(&mut self, change: Change) {
        let tenant = change.tenant;
        for kind in change.effects.into_iter().filter_map(|effect| effect.kind) {
            match kind {
                Kind::Set(Set { key, value, expire_at_ms }) => {
                    self.keys.insert((tenant, key), Base::Set { value, expire_at_ms }.into());
                }
                Kind::Write(write) => {
                    let step = Step::Write { offset: write.offset, bytes: write.bytes };
                    self.of(tenant, write.key).steps.push(step);
                }
                Kind::Expire(expire) => {
                    self.of(tenant, expire.key).steps.push(Step::Expire(expire.at_ms));
                }
                Kind::Delete(delete) => {
                    self.keys.insert((tenant, delete.key), Base::Absent.into());
                }
                Kind::Flush(_) => {
                    self.keys.retain(|(of, _), _| *of != tenant);
                    self.flushed.insert(tenant);
                }
            }
        }
    }

    fn of(&mut self, tenant: u32, key: Bytes) -> &mut Fate {
        let base = if self.flushed.contains(&tenant) { Base::Absent } else { Base::Page };
        self.keys.entry((tenant, key)).or_insert_with(|| base.into())
    }

    /// A key of a page as it was at the cut; `None`: it is not there, or comes with [`Fates::rest`].
    pub(crate) fn settle(&mut self, tenant: u32, set: Set) -> Option<Key> {
        if self.flushed.contains(&tenant) {
            return None;
        }
        let place = (tenant, set.key);
        let (value, expire_at_ms) = match self.keys.get(&place) {
            None => (set.value, set.expire_at_ms),
            Some(Fate { base: Base::Page, .. }) => {
                self.keys.remove(&place)?.end(Some((set.value, set.expire_at_ms)))?
            }
            Some(_) => return None,
        };
        Some(Key { tenant, key: place.1, value, expire_at_ms })
    }

    /// After all pages: the keys that none of them settled, as they were at the cut.
    pub(crate) fn rest(self) -> impl Iterator<Item = Key> {
        self.keys.into_iter().filter_map(|((tenant, key), fate)| {
            let (value, expire_at_ms) = fate.end(None)?;
            Some(Key { tenant, key, value, expire_at_ms })
        })
    }
}
