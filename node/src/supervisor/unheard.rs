//! Whether a leader is followed by members that cannot reach it; pure.
//!
//! A leader speaks to the voters over connections that it opened, and hears renewals over connections that they open.
//! So it may go on leading while nothing gets to it, and every lease runs out at its desk: it would take all others to
//! be dead, and keep them from electing somebody whom they can reach.

use predis_types::NodeId;
use std::collections::BTreeSet;

/// Whether those who would be left, were the overdue taken to be dead, are too few to be the majority that has just
/// confirmed that `leader` leads. Then those who confirmed it live, and it is the leader that is not reached. A voter
/// that is alone has nobody to give way to.
pub(super) fn is_unheard(
    leader: NodeId,
    voters: &BTreeSet<NodeId>,
    up: &BTreeSet<NodeId>,
    overdue: &BTreeSet<NodeId>,
) -> bool {
    let left =
        voters.iter().filter(|node| **node == leader || (up.contains(node) && !overdue.contains(node)));
    voters.len() > 1 && 2 * left.count() <= voters.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unheard(voters: &[u64], up: &[u64], overdue: &[u64]) -> bool {
        let set = |ids: &[u64]| ids.iter().copied().map(NodeId).collect();
        is_unheard(NodeId(1), &set(voters), &set(up), &set(overdue))
    }

    #[test]
    fn a_leader_that_would_be_left_without_those_who_confirm_it_is_unheard() {
        assert!(unheard(&[1, 2, 3], &[1, 2, 3], &[2, 3]));
        assert!(unheard(&[1, 2, 3], &[1, 3], &[3]), "2 is known to be down, so 3 confirmed");
        assert!(unheard(&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5, 6], &[3, 4, 5]));
        assert!(unheard(&[1, 2, 3], &[1, 2, 3], &[1, 2, 3]), "its own lease does not count");
    }

    #[test]
    fn whoever_can_be_spared_is_judged() {
        assert!(!unheard(&[1, 2, 3], &[1, 2, 3], &[3]));
        assert!(!unheard(&[1, 2, 3], &[1, 2, 3, 4, 5], &[3, 4, 5]), "those without a vote confirm nothing");
        assert!(!unheard(&[1, 2, 3], &[1, 2, 3], &[1]), "its own process may have begun anew");
        assert!(!unheard(&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5], &[4, 5]));
    }

    #[test]
    fn a_voter_that_is_alone_gives_way_to_nobody() {
        assert!(!unheard(&[1], &[1, 2], &[1, 2]));
        assert!(!unheard(&[1], &[1, 2], &[2]));
    }
}
