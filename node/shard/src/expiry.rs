//! Which key expires next. Knows no clock and no key, only times and handles.

use std::collections::BTreeSet;

/// The entries that expire, earliest first; ties by handle, so that the order is the same in every run.
#[derive(Debug, Default)]
pub(crate) struct ExpiryOrder {
    order: BTreeSet<(u64, u32)>,
    /// The sum of all times, for the average time to live.
    sum_ms: u128,
}

impl ExpiryOrder {
    /// How many entries expire.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Notes that the entry, which expired at `old`, now expires at `new`.
    pub(crate) fn change(&mut self, handle: u32, old: Option<u64>, new: Option<u64>) {
        if old == new {
            return;
        }
        if let Some(at) = old
            && self.order.remove(&(at, handle))
        {
            self.sum_ms -= u128::from(at);
        }
        if let Some(at) = new
            && self.order.insert((at, handle))
        {
            self.sum_ms += u128::from(at);
        }
    }

    /// The entry that expires first, and when.
    pub(crate) fn first(&self) -> Option<(u64, u32)> {
        self.order.first().copied()
    }

    /// The mean of all times of expiry; `None` when nothing expires.
    pub(crate) fn mean_at_ms(&self) -> Option<u64> {
        self.sum_ms.checked_div(self.order.len() as u128).map(|mean| mean as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_first_and_the_mean_follows() {
        let mut expiry = ExpiryOrder::default();
        expiry.change(1, None, Some(30));
        expiry.change(2, None, Some(10));
        expiry.change(3, None, Some(20));
        assert_eq!((expiry.first(), expiry.mean_at_ms(), expiry.len()), (Some((10, 2)), Some(20), 3));
        expiry.change(2, Some(10), Some(70));
        expiry.change(3, Some(20), None);
        assert_eq!((expiry.first(), expiry.mean_at_ms(), expiry.len()), (Some((30, 1)), Some(50), 2));
        expiry.change(1, Some(30), None);
        expiry.change(2, Some(70), None);
        assert_eq!((expiry.first(), expiry.mean_at_ms()), (None, None));
    }
}
