//! The index against an ordered map: look-ups, and walks interleaved with changes.

use std::collections::{BTreeMap, BTreeSet};

use predis_types::mix64;
use proptest::prelude::*;

use super::*;

/// An index with the hashes of its handles, which a slab holds in real life.
#[derive(Default)]
struct Indexed {
    index: Index,
    hashes: BTreeMap<u32, u64>,
    next: u32,
}

impl Indexed {
    fn insert(&mut self, hash: u64) -> u32 {
        let handle = self.next;
        self.next += 1;
        self.hashes.insert(handle, hash);
        self.index.insert(hash, handle, |handle| self.hashes[&handle]);
        handle
    }

    fn remove(&mut self, handle: u32) {
        let hash = self.hashes[&handle];
        assert!(self.index.remove(hash, handle, |handle| self.hashes[&handle]));
        self.hashes.remove(&handle);
    }

    /// What must hold at any time between the directory, the segments and the model.
    fn check(&self) {
        assert_eq!(self.index.len(), self.hashes.len());
        assert_eq!(self.index.directory.len(), 1 << self.index.depth);
        let used: BTreeSet<u32> = self.index.directory.iter().copied().collect();
        assert_eq!(used.len() + self.index.unused.len(), self.index.segments.len());
        let mut by_depth = [0; MAX_DEPTH as usize + 1];
        for number in used {
            by_depth[self.index.segments[number as usize].depth() as usize] += 1;
        }
        assert_eq!(by_depth, self.index.at_depth);
        assert!(
            self.index.depth == 0 || by_depth[self.index.depth as usize] > 0,
            "the directory is too large"
        );
        for (handle, hash) in &self.hashes {
            assert_eq!(self.index.find(*hash, |found| found == *handle), Some(*handle));
        }
    }

    fn page(&self, from: HashPosition, limit: usize) -> IndexPage {
        self.index.page(from, limit, |handle| self.hashes[&handle])
    }

    /// All handles in one walk of pages of this size.
    fn walk(&self, limit: usize) -> Vec<u32> {
        let mut seen = Vec::new();
        let mut from = Some(HashPosition::START);
        while let Some(position) = from {
            let page = self.page(position, limit);
            assert!(page.next.is_none_or(|next| next > position), "a walk gets on");
            seen.extend(page.handles);
            from = page.next;
        }
        seen
    }
}

/// Hashes of several kinds: spread, crowded under one prefix, and equal in their position.
fn hash_of_kind(kind: u8, word: u64) -> u64 {
    match kind % 4 {
        0 | 1 => mix64(word),
        2 => mix64(word) >> 12 | 0x5550_0000_0000_0000,
        _ => (word % 5) << 40 | 0xffff_0000_0000_0000 | mix64(word) >> 52,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, u64),
    InsertMany(u64),
    Remove(usize),
    RemoveMany(usize),
    Page(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (any::<u8>(), any::<u64>()).prop_map(|(kind, word)| Step::Insert(kind, word)),
        2 => any::<u64>().prop_map(Step::InsertMany),
        2 => any::<usize>().prop_map(Step::Remove),
        2 => any::<usize>().prop_map(Step::RemoveMany),
        6 => (1usize..400).prop_map(Step::Page),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Every key present throughout a walk is returned exactly once, none is returned twice, and none that was
    /// never there.
    #[test]
    fn a_walk_returns_what_stays_exactly_once(kinds in 0u8..4, first in 0usize..2000, steps in steps()) {
        let mut indexed = Indexed::default();
        let mut alive = Vec::new();
        for word in 0..first as u64 {
            alive.push(indexed.insert(hash_of_kind(kinds, word)));
        }
        let mut throughout: BTreeSet<u32> = alive.iter().copied().collect();
        let mut returned = Vec::new();
        let mut from = Some(HashPosition::START);
        for step in steps {
            match step {
                Step::Insert(kind, word) => alive.push(indexed.insert(hash_of_kind(kind, word))),
                Step::InsertMany(word) => {
                    alive.extend((0..700).map(|step| indexed.insert(hash_of_kind(kinds, word ^ step))));
                }
                Step::Remove(at) if !alive.is_empty() => {
                    let handle = alive.swap_remove(at % alive.len());
                    throughout.remove(&handle);
                    indexed.remove(handle);
                }
                Step::RemoveMany(at) => {
                    for _ in 0..alive.len().min(900) {
                        let handle = alive.swap_remove(at % alive.len());
                        throughout.remove(&handle);
                        indexed.remove(handle);
                    }
                }
                Step::Page(limit) => {
                    if let Some(position) = from {
                        let page = indexed.page(position, limit);
                        prop_assert!(page.handles.iter().all(|handle| indexed.hashes.contains_key(handle)));
                        returned.extend(page.handles);
                        from = page.next;
                    }
                }
                Step::Remove(_) => {}
            }
        }
        while let Some(position) = from {
            let page = indexed.page(position, 100);
            returned.extend(page.handles);
            from = page.next;
        }
        indexed.check();
        let once: BTreeSet<u32> = returned.iter().copied().collect();
        prop_assert_eq!(once.len(), returned.len(), "a key was returned twice");
        prop_assert!(throughout.is_subset(&once), "a key was missed");
    }
}

#[test]
fn a_walk_is_in_hash_order_whatever_the_page_size() {
    let mut indexed = Indexed::default();
    for word in 0..5000 {
        indexed.insert(hash_of_kind(word as u8, word));
    }
    let mut expected: Vec<(u64, u32)> =
        indexed.hashes.iter().map(|(handle, hash)| (*hash, *handle)).collect();
    expected.sort_unstable();
    let expected: Vec<u32> = expected.into_iter().map(|(_, handle)| handle).collect();
    for limit in [0, 1, 7, 448, usize::MAX] {
        assert_eq!(indexed.walk(limit), expected, "in pages of {limit}");
    }
}

#[test]
fn entries_of_one_position_come_together() {
    let mut indexed = Indexed::default();
    let handles: Vec<u32> = (0..50).map(|low| indexed.insert(0x1234_0000_0000_0000 | low)).collect();
    let page = indexed.page(HashPosition::START, 10);
    assert_eq!(page, IndexPage { handles, next: None });
}

#[test]
fn the_directory_grows_and_shrinks_back() {
    let mut indexed = Indexed::default();
    let handles: Vec<u32> = (0..20_000).map(|word| indexed.insert(mix64(word))).collect();
    indexed.check();
    assert!(indexed.index.depth >= 5);
    for handle in handles {
        indexed.remove(handle);
    }
    indexed.check();
    assert_eq!((indexed.index.depth, indexed.index.directory.len()), (0, 1));
    assert_eq!(indexed.walk(10), []);
}

#[test]
fn equal_hashes_beyond_a_segment_are_kept() {
    let mut indexed = Indexed::default();
    let handles: Vec<u32> = (0..600).map(|_| indexed.insert(u64::MAX)).collect();
    indexed.check();
    assert_eq!(indexed.walk(1), handles);
}
