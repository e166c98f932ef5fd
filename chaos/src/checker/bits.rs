//! A set of small numbers.

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Bits(Box<[u64]>);

impl Bits {
    /// An empty set with room for the numbers below `count`.
    pub(super) fn new(count: usize) -> Bits {
        Bits(vec![0; count.div_ceil(64)].into())
    }

    pub(super) fn insert(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    pub(super) fn remove(&mut self, number: usize) {
        self.0[number / 64] &= !(1 << (number % 64));
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.0[number / 64] & (1 << (number % 64)) != 0
    }

    /// Whether all of its numbers are in `other`, which has as much room.
    pub(super) fn is_subset(&self, other: &Bits) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, theirs)| mine & !theirs == 0)
    }

    /// The part of it that has the numbers from `from` to before `to`, and perhaps some around them.
    pub(super) fn window(&self, from: usize, to: usize) -> Bits {
        Bits(self.0[from / 64..to.div_ceil(64)].into())
    }
}
