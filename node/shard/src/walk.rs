//! What is asked of all keys at once: SCAN, KEYS, RANDOMKEY, and the keys of a slot.
//!
//! Composed by the node across partitions. Keys whose time has come are removed as they are met.

use bytes::Bytes;
use predis_types::{Slot, key_slot};

use crate::access::Access;
use crate::commands::scan::{ScanOptions, key_matches};
use crate::entry::Entry;
use crate::hashing::HashPosition;
use crate::keyspace::Keyspace;

/// How many keys a walk over all of them takes at a time.
const STRIDE: usize = 1024;

/// One step of a SCAN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanPage {
    /// The keys that were let through, in hash order.
    pub keys: Vec<Bytes>,
    /// Where to go on; `None`: the partition is done.
    pub next: Option<HashPosition>,
}

fn key_of(entry: &Entry) -> Bytes {
    Bytes::copy_from_slice(&entry.key)
}

/// One step of a SCAN from a position on.
pub(crate) fn scan(access: &mut Access<'_>, from: HashPosition, options: &ScanOptions) -> ScanPage {
    let page = access.keyspace.page(from, options.count);
    let mut keys = Vec::new();
    for handle in page.handles {
        if access.alive(handle) && options.accept(access.entry(handle)) {
            keys.push(key_of(access.entry(handle)));
        }
    }
    ScanPage { keys, next: page.next }
}

/// Every key that lives and that `accept` lets through, in hash order, up to `limit`.
fn collect(access: &mut Access<'_>, limit: usize, accept: impl Fn(&Entry) -> bool) -> Vec<Bytes> {
    let mut keys = Vec::new();
    let mut from = Some(HashPosition::START);
    while let Some(position) = from {
        let page = access.keyspace.page(position, STRIDE);
        for handle in page.handles {
            if keys.len() >= limit {
                return keys;
            }
            if accept(access.entry(handle)) && access.alive(handle) {
                keys.push(key_of(access.entry(handle)));
            }
        }
        from = page.next;
    }
    keys
}

/// Every key that matches.
pub(crate) fn keys(access: &mut Access<'_>, pattern: &[u8]) -> Vec<Bytes> {
    collect(access, usize::MAX, |entry| key_matches(pattern, &entry.key))
}

/// Up to `limit` keys of a slot.
pub(crate) fn keys_in_slot(access: &mut Access<'_>, slot: Slot, limit: usize) -> Vec<Bytes> {
    collect(access, limit, |entry| key_slot(&entry.key) == slot)
}

/// How many keys are in a slot, expired ones that nobody has met yet included.
pub(crate) fn count_keys_in_slot(keyspace: &Keyspace, slot: Slot) -> usize {
    keyspace.handles().filter(|handle| key_slot(&keyspace.entry(*handle).key) == slot).count()
}

/// A key chosen by chance.
pub(crate) fn random_key(access: &mut Access<'_>) -> Option<Bytes> {
    let mut word = access.cx.rng;
    loop {
        word = predis_types::mix64(word);
        let handle = access.keyspace.random(word)?;
        if access.alive(handle) {
            return Some(key_of(access.entry(handle)));
        }
    }
}
