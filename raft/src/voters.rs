//! Who should vote: three to five members, alive where possible, changed as little as possible; pure.

use predis_types::NodeId;
use std::collections::BTreeSet;

/// A member as the choice of voters sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The member.
    pub node: NodeId,
    /// Whether it is up and staying.
    pub fit: bool,
    /// Where it stands; voters are spread over zones.
    pub zone: String,
}

/// How many voters a cluster of `members` has: one below three, three below seven, else five. Two voters would
/// be worse than one: either's death would stop the cluster.
pub fn target(members: usize) -> usize {
    match members {
        0..3 => members.min(1),
        3..7 => 3,
        _ => 5,
    }
}

/// The voters that the cluster should have, given those it has.
///
/// Fit voters stay. Unfit ones are replaced by fit members, those in zones without a voter first, then by id.
/// While there is nobody to replace an unfit voter it stays: it may come back, and a smaller group would not be
/// safer. `leader` is always kept, so that a leader never votes itself out.
pub fn choose(current: &BTreeSet<NodeId>, candidates: &[Candidate], leader: NodeId) -> BTreeSet<NodeId> {
    let wanted = target(candidates.iter().filter(|candidate| candidate.fit).count().max(1));
    let wanted = wanted.max(if current.len() >= 3 { 3 } else { 1 });
    let is_fit = |node: &NodeId| candidates.iter().any(|candidate| candidate.node == *node && candidate.fit);
    let zone = |node: &NodeId| candidates.iter().find(|c| c.node == *node).map(|c| c.zone.as_str());
    let mut chosen = BTreeSet::from([leader]);
    let others = current.iter().filter(|node| **node != leader && is_fit(node));
    chosen.extend(others.take(wanted.saturating_sub(1)));
    while chosen.len() < wanted {
        let zones: BTreeSet<_> = chosen.iter().filter_map(zone).collect();
        let free = candidates.iter().filter(|c| c.fit && !chosen.contains(&c.node));
        match free.min_by_key(|c| (zones.contains(c.zone.as_str()), c.node)) {
            Some(candidate) => chosen.insert(candidate.node),
            None => break,
        };
    }
    let missing = wanted.saturating_sub(chosen.len());
    let known = |node: &&NodeId| candidates.iter().any(|c| c.node == **node);
    let unfit: Vec<NodeId> =
        current.iter().filter(known).filter(|node| !chosen.contains(node)).take(missing).copied().collect();
    chosen.extend(unfit);
    // An even group tolerates no more failures than one smaller by a member.
    if chosen.len().is_multiple_of(2) && chosen.len() > 1 {
        let extra =
            chosen.iter().rev().find(|node| **node != leader && !(current.contains(node) && is_fit(node)));
        let extra = extra.or_else(|| chosen.iter().rev().find(|node| **node != leader)).copied();
        chosen.retain(|node| Some(*node) != extra);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(fit: &[(u64, bool, &str)]) -> Vec<Candidate> {
        let candidate = |&(node, fit, zone): &(u64, bool, &str)| Candidate {
            node: NodeId(node),
            fit,
            zone: zone.to_owned(),
        };
        fit.iter().map(candidate).collect()
    }

    fn ids(ids: &[u64]) -> BTreeSet<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    #[test]
    fn grows_from_one_to_three_to_five() {
        let up = |n: u64| (1..=n).map(|id| (id, true, "z")).collect::<Vec<_>>();
        assert_eq!(choose(&ids(&[1]), &members(&up(2)), NodeId(1)), ids(&[1]));
        assert_eq!(choose(&ids(&[1]), &members(&up(3)), NodeId(1)), ids(&[1, 2, 3]));
        assert_eq!(choose(&ids(&[1, 2, 3]), &members(&up(6)), NodeId(2)), ids(&[1, 2, 3]));
        assert_eq!(choose(&ids(&[1, 2, 3]), &members(&up(7)), NodeId(2)), ids(&[1, 2, 3, 4, 5]));
    }

    #[test]
    fn replaces_the_dead_and_keeps_the_living() {
        let four = members(&[(1, true, "a"), (2, false, "b"), (3, true, "c"), (4, true, "b")]);
        assert_eq!(choose(&ids(&[1, 2, 3]), &four, NodeId(1)), ids(&[1, 3, 4]));
        let three = members(&[(1, true, "a"), (2, false, "b"), (3, true, "c")]);
        assert_eq!(choose(&ids(&[1, 2, 3]), &three, NodeId(1)), ids(&[1, 2, 3]), "nobody to take its place");
    }

    #[test]
    fn prefers_zones_without_a_voter() {
        let five = members(&[(1, true, "a"), (2, true, "a"), (3, true, "a"), (4, true, "b"), (5, true, "c")]);
        assert_eq!(choose(&ids(&[1]), &five, NodeId(1)), ids(&[1, 4, 5]));
    }

    #[test]
    fn fit_voters_stay_whoever_leads() {
        let five = members(&[(1, true, "a"), (3, true, "a"), (4, true, "a"), (5, true, "b")]);
        for leader in [1, 3, 4] {
            assert_eq!(choose(&ids(&[1, 3, 4]), &five, NodeId(leader)), ids(&[1, 3, 4]), "{leader}");
        }
    }

    #[test]
    fn is_always_odd_and_holds_the_leader() {
        for mask in 0..128u32 {
            let all: Vec<(u64, bool, &str)> =
                (1..=7).map(|id| (id, mask >> (id - 1) & 1 == 1, "z")).collect();
            for leader in 1..=3 {
                let chosen = choose(&ids(&[1, 2, 3]), &members(&all), NodeId(leader));
                assert!(chosen.contains(&NodeId(leader)), "{mask:b} {chosen:?}");
                assert_eq!(chosen.len() % 2, 1, "{mask:b} {chosen:?}");
                assert!((3..=5).contains(&chosen.len()), "{mask:b} {chosen:?}");
            }
        }
    }
}
