//! One segment of the index: the handles whose hashes begin with the same bits.
//!
//! A small open-addressing table. It holds handles alone and asks its caller for the hash of one.

use hashbrown::HashTable;

/// The most handles a segment holds before it is split: what a table of 512 buckets takes before it would grow.
pub(crate) const SEGMENT_MAX: usize = 448;

/// Two buddies that together hold no more than this are merged. Far below half of [`SEGMENT_MAX`], so that a
/// split and a merge never chase each other.
pub(crate) const MERGE_MAX: usize = 128;

/// The directory uses a hash's top bits and the table takes its bucket from the low bits and its tag from the top
/// seven: turned by half, neither repeats what the directory has already told apart.
fn table_hash(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// The handles of all entries whose hash begins with the segment's `depth` bits.
#[derive(Debug)]
pub(crate) struct Segment {
    table: HashTable<u32>,
    depth: u32,
}

impl Segment {
    /// An empty segment, told apart by this many bits.
    pub(crate) fn new(depth: u32) -> Self {
        Segment { table: HashTable::new(), depth }
    }

    /// How many leading bits of the hash all its entries share.
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The number of handles.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The handle with this hash that `same` accepts.
    pub(crate) fn find(&self, hash: u64, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
        self.table.find(table_hash(hash), |handle| same(*handle)).copied()
    }

    /// Adds a handle that is not in the segment.
    pub(crate) fn insert(&mut self, hash: u64, handle: u32, hash_of: impl Fn(u32) -> u64) {
        self.table.insert_unique(table_hash(hash), handle, |handle| table_hash(hash_of(*handle)));
    }

    /// Takes a handle out; `false` if it was not there.
    pub(crate) fn remove(&mut self, hash: u64, handle: u32) -> bool {
        match self.table.find_entry(table_hash(hash), |found| *found == handle) {
            Ok(found) => {
                found.remove();
                true
            }
            Err(_) => false,
        }
    }

    /// Every handle, in no order.
    pub(crate) fn handles(&self) -> impl Iterator<Item = u32> + '_ {
        self.table.iter().copied()
    }

    /// Keeps the entries whose next bit is 0 and returns a segment of those whose next bit is 1.
    pub(crate) fn split(&mut self, hash_of: &impl Fn(u32) -> u64) -> Segment {
        let bit = 63 - self.depth;
        let table = std::mem::take(&mut self.table);
        self.depth += 1;
        let mut upper = Segment::new(self.depth);
        for handle in table {
            let hash = hash_of(handle);
            let side = if hash >> bit & 1 == 1 { &mut upper } else { &mut *self };
            side.insert(hash, handle, hash_of);
        }
        upper
    }

    /// Takes in the buddy's entries; the two are told apart by one bit less.
    pub(crate) fn merge(&mut self, buddy: Segment, hash_of: &impl Fn(u32) -> u64) {
        self.depth -= 1;
        for handle in buddy.table {
            self.insert(hash_of(handle), handle, hash_of);
        }
    }
}
