//! From a hash to an entry's handle, and every handle in hash order.
//!
//! Extendible hashing (Fagin, Nievergelt, Pippenger, Strong, 1979): a directory indexed by the hash's top bits points
//! to small segments, which are split and merged one at a time. No operation ever rehashes more than two segments.
//!
//! ```text
//!   top bits   000   001   010   011   100   101   110   111
//!               |     |     |     |     \     \     /     /
//!   segment   [A 3] [B 3] [ C 2 ........ ]   [ D 1 ...... ]      number: leading bits its entries share
//! ```
//! Because the directory is in hash order, so is a walk over it. Knows no key: its callers compare keys and tell the
//! hash of a handle.

mod segment;
#[cfg(test)]
mod tests;

use crate::hashing::HashPosition;
use segment::{MERGE_MAX, SEGMENT_MAX, Segment};

/// The most bits the directory uses. Beyond it segments grow instead; 2^24 full segments are 7 G entries.
const MAX_DEPTH: u32 = 24;

/// Handles in hash order from where a walk began, and where the next one is to begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexPage {
    /// In hash order.
    pub(crate) handles: Vec<u32>,
    /// `None`: the walk has reached the end.
    pub(crate) next: Option<HashPosition>,
}

/// The index of one keyspace.
#[derive(Debug)]
pub(crate) struct Index {
    /// Numbers of segments; its length is 2^depth.
    directory: Vec<u32>,
    depth: u32,
    segments: Vec<Segment>,
    /// Numbers of segments that merging left unused.
    unused: Vec<u32>,
    /// How many segments there are of each depth: the directory halves when none needs its last bit.
    at_depth: [u32; MAX_DEPTH as usize + 1],
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        let mut at_depth = [0; MAX_DEPTH as usize + 1];
        at_depth[0] = 1;
        Index {
            directory: vec![0],
            depth: 0,
            segments: vec![Segment::new(0)],
            unused: Vec::new(),
            at_depth,
            len: 0,
        }
    }
}

/// The top `depth` bits of a hash.
fn top_bits(hash: u64, depth: u32) -> usize {
    if depth == 0 { 0 } else { (hash >> (64 - depth)) as usize }
}

impl Index {
    /// The number of handles.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn segment_at(&self, hash: u64) -> usize {
        self.directory[top_bits(hash, self.depth)] as usize
    }

    /// The handle with this hash that `same` accepts.
    pub(crate) fn find(&self, hash: u64, same: impl FnMut(u32) -> bool) -> Option<u32> {
        self.segments[self.segment_at(hash)].find(hash, same)
    }

    /// Adds a handle that is not in the index. `hash_of` tells the hash of any handle that is.
    pub(crate) fn insert(&mut self, hash: u64, handle: u32, hash_of: impl Fn(u32) -> u64) {
        let mut number = self.segment_at(hash);
        while self.segments[number].len() >= SEGMENT_MAX && self.segments[number].depth() < MAX_DEPTH {
            self.split(number, hash, &hash_of);
            number = self.segment_at(hash);
        }
        self.segments[number].insert(hash, handle, hash_of);
        self.len += 1;
    }

    /// Takes a handle out; `false` if it was not there. `hash_of` tells the hash of any other handle.
    pub(crate) fn remove(&mut self, hash: u64, handle: u32, hash_of: impl Fn(u32) -> u64) -> bool {
        let number = self.segment_at(hash);
        if !self.segments[number].remove(hash, handle) {
            return false;
        }
        self.len -= 1;
        if self.segments[number].len() <= MERGE_MAX {
            self.merge(hash, &hash_of);
        }
        true
    }

    /// The directory entries that point to the segment in which `hash` lies.
    fn span(&self, hash: u64, depth: u32) -> std::ops::Range<usize> {
        let width = 1 << (self.depth - depth);
        let start = top_bits(hash, depth) * width;
        start..start + width
    }

    fn split(&mut self, number: usize, hash: u64, hash_of: &impl Fn(u32) -> u64) {
        let depth = self.segments[number].depth();
        if depth == self.depth {
            self.directory = self.directory.iter().flat_map(|number| [*number, *number]).collect();
            self.depth += 1;
        }
        let span = self.span(hash, depth);
        let upper = self.segments[number].split(hash_of);
        let upper_number = match self.unused.pop() {
            Some(unused) => {
                self.segments[unused as usize] = upper;
                unused
            }
            None => {
                self.segments.push(upper);
                (self.segments.len() - 1) as u32
            }
        };
        let middle = span.start + span.len() / 2;
        self.directory[middle..span.end].fill(upper_number);
        self.at_depth[depth as usize] -= 1;
        self.at_depth[depth as usize + 1] += 2;
    }

    /// Merges the segment of `hash` with its buddy for as long as both are nearly empty.
    fn merge(&mut self, hash: u64, hash_of: &impl Fn(u32) -> u64) {
        loop {
            let number = self.segment_at(hash);
            let depth = self.segments[number].depth();
            if depth == 0 {
                return;
            }
            let span = self.span(hash, depth);
            let buddy = self.directory[span.start ^ span.len()] as usize;
            let together = self.segments[number].len() + self.segments[buddy].len();
            if self.segments[buddy].depth() != depth || together > MERGE_MAX {
                return;
            }
            let emptied = std::mem::replace(&mut self.segments[buddy], Segment::new(0));
            self.segments[number].merge(emptied, hash_of);
            self.unused.push(buddy as u32);
            let span = self.span(hash, depth - 1);
            self.directory[span].fill(number as u32);
            self.at_depth[depth as usize] -= 2;
            self.at_depth[depth as usize - 1] += 1;
            self.halve();
        }
    }

    /// Halves the directory while no segment needs its last bit.
    fn halve(&mut self) {
        while self.depth > 0 && self.at_depth[self.depth as usize] == 0 {
            self.directory = self.directory.iter().step_by(2).copied().collect();
            self.depth -= 1;
        }
    }

    /// At least `limit` handles (fewer at the end) in hash order from a position on; more than `limit` only when
    /// entries share a position. A `limit` of 0 counts as 1, so that a walk always gets on.
    pub(crate) fn page(&self, from: HashPosition, limit: usize, hash_of: impl Fn(u32) -> u64) -> IndexPage {
        let mut handles = Vec::new();
        let mut start = from.first_hash();
        loop {
            let segment = &self.segments[self.segment_at(start)];
            let with_hash = segment.handles().map(|handle| (hash_of(handle), handle));
            let mut found: Vec<(u64, u32)> = with_hash.filter(|(hash, _)| *hash >= start).collect();
            found.sort_unstable();
            let mut last = None;
            for (hash, handle) in found {
                let position = HashPosition::of_hash(hash);
                if handles.len() >= limit.max(1) && last != Some(position) {
                    return IndexPage { handles, next: Some(position) };
                }
                handles.push(handle);
                last = Some(position);
            }
            let Some(next) = self.after_segment(start) else {
                return IndexPage { handles, next: None };
            };
            if handles.len() >= limit.max(1) {
                return IndexPage { handles, next: Some(HashPosition::of_hash(next)) };
            }
            start = next;
        }
    }

    /// The smallest hash beyond the segment of `hash`; `None` at the end. A multiple of 2^40, so it begins a
    /// position.
    fn after_segment(&self, hash: u64) -> Option<u64> {
        let depth = self.segments[self.segment_at(hash)].depth();
        let after = top_bits(hash, depth) as u64 + 1;
        if after >> depth == 0 { Some(after << (64 - depth)) } else { None }
    }
}
