//! Leases: what both sides say to each other, and the times they agree on.
//!
//! The lease is a node's right to serve what the agreed state gives it. It is safe because
//! 1. it runs from when the node *sent* the renewal, on the node's clock;
//! 2. it is granted only after a majority round that began after the renewal arrived, so a leader that was
//!    replaced before the renewal was sent can never grant it;
//! 3. the leader takes a live incarnation's primaryships away only after the longest lease it can still hold,
//!    stretched by the drift, has run out on the leader's clock; and a new leader, which cannot know what the
//!    old one granted, first waits that long;
//! 4. an incarnation that was judged is never granted a lease again: its applied state may be old and still
//!    call it primary. It commits a new incarnation and begins anew.
//!
//! Gray and Cheriton, "Leases", SOSP 1989. Knows nothing of partitions.

mod grantor;
mod holder;

pub use grantor::{Answer, Grant, Grantor, Standing, Ticket};
pub use holder::Holder;

use predis_types::{Incarnation, NodeId};

/// How long leases last. Every member of a cluster must use the same `lease_us` and `drift_ppm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseConfig {
    /// How long a lease lasts on the holder's clock, from the sending of its renewal, in microseconds.
    pub lease_us: u64,
    /// By how much any member's clock may run faster than any other's, in parts per million.
    pub drift_ppm: u32,
    /// How often a node asks for a renewal, in microseconds.
    pub renew_every_us: u64,
}

impl Default for LeaseConfig {
    /// One second, renewed four times in it, between clocks that agree within 1 %.
    fn default() -> Self {
        LeaseConfig { lease_us: 1_000_000, drift_ppm: 10_000, renew_every_us: 250_000 }
    }
}

impl LeaseConfig {
    /// How long a grantor waits, on its own clock, to be sure that a lease has run out on any other:
    /// lease x (1 + drift), rounded up, in microseconds.
    pub fn wait_us(&self) -> u64 {
        let stretched = u128::from(self.lease_us) * (1_000_000 + u128::from(self.drift_ppm));
        u64::try_from(stretched.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// A node asks the leader for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Renewal {
    /// Who asks.
    pub node: NodeId,
    /// In which life.
    pub incarnation: Incarnation,
    /// Which of its renewals this is, from 1 in every incarnation.
    pub seq: u64,
}

/// Why a renewal was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// The node asked does not lead, or not any more. Another may grant.
    #[error("the node asked is not the leader")]
    NotLeader,
    /// The leader does not know the node, or not yet this incarnation of it. It may later.
    #[error("the leader does not know this incarnation")]
    Unknown,
    /// The agreed state has a later incarnation of this node: this one is over.
    #[error("a later incarnation of this node exists")]
    OldIncarnation,
    /// The leader held this incarnation to be dead and gave, or is giving, its partitions away: it is over.
    #[error("this incarnation was judged dead")]
    Judged,
}

impl Refusal {
    /// Whether this incarnation can never hold a lease again, so that the node has to commit a new one.
    pub fn is_final(self) -> bool {
        matches!(self, Refusal::OldIncarnation | Refusal::Judged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_the_stretched_lease_rounded_up() {
        let config = |lease_us, drift_ppm| LeaseConfig { lease_us, drift_ppm, renew_every_us: 1 };
        assert_eq!(config(1_000_000, 10_000).wait_us(), 1_010_000);
        assert_eq!(config(1, 1).wait_us(), 2);
        assert_eq!(config(7, 0).wait_us(), 7);
        assert_eq!(config(u64::MAX, 1).wait_us(), u64::MAX);
    }
}
