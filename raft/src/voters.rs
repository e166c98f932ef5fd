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
    /// In which region it stands; voters are spread over regions first.
    pub region: String,
    /// In which zone of that; then over zones.
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
/// Fit voters stay, but for one that shares its region while another region with a fit member has no voter: it makes
/// room for that one. Unfit ones are replaced by fit members, those in regions without a voter first, then those in zones
/// without one, then by id.
/// While there is nobody to replace an unfit voter it stays: it may come back, and a smaller group would not be
/// safer. `leader` is always kept, so that a leader never votes itself out.
pub fn choose(current: &BTreeSet<NodeId>, candidates: &[Candidate], leader: NodeId) -> BTreeSet<NodeId> {
    let wanted = target(candidates.iter().filter(|candidate| candidate.fit).count().max(1));
    let wanted = wanted.max(if current.len() >= 3 { 3 } else { 1 });
    let is_fit = |node: &NodeId| candidates.iter().any(|candidate| candidate.node == *node && candidate.fit);
    let mut chosen = BTreeSet::from([leader]);
    let others = current.iter().filter(|node| **node != leader && is_fit(node));
    chosen.extend(others.take(wanted.saturating_sub(1)));
    fill(&mut chosen, candidates, wanted);
    spread(&mut chosen, candidates, leader);
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

/// Where a candidate stands: its region, and its zone in it.
fn stands(candidates: &[Candidate], node: NodeId) -> Option<(&str, &str)> {
    let candidate = candidates.iter().find(|candidate| candidate.node == node)?;
    Some((&candidate.region, &candidate.zone))
}

/// Adds fit candidates up to a number.
fn fill(chosen: &mut BTreeSet<NodeId>, candidates: &[Candidate], wanted: usize) {
    while chosen.len() < wanted {
        let taken: BTreeSet<_> = chosen.iter().filter_map(|node| stands(candidates, *node)).collect();
        let regions: BTreeSet<_> = taken.iter().map(|(region, _)| *region).collect();
        let free = candidates.iter().filter(|c| c.fit && !chosen.contains(&c.node));
        let cost = |c: &&Candidate| {
            let (region, zone) = (c.region.as_str(), c.zone.as_str());
            (regions.contains(region), taken.contains(&(region, zone)), c.node)
        };
        match free.min_by_key(cost) {
            Some(candidate) => chosen.insert(candidate.node),
            None => break,
        };
    }
}

/// Has one of each region vote, as far as there are voters enough: whoever shares its region gives way, the leader never.
fn spread(chosen: &mut BTreeSet<NodeId>, candidates: &[Candidate], leader: NodeId) {
    let region = |node: NodeId| stands(candidates, node).map(|(region, _)| region);
    loop {
        let held: Vec<_> = chosen.iter().filter_map(|node| region(*node)).collect();
        let lacking = candidates.iter().filter(|c| c.fit && !held.contains(&c.region.as_str()));
        let shares = |node: &&NodeId| {
            let of = region(**node);
            **node != leader && chosen.iter().filter(|other| region(**other) == of).count() > 1
        };
        let gives_way = chosen.iter().rev().find(shares).copied();
        let (Some(newcomer), Some(gives_way)) = (lacking.min_by_key(|c| c.node), gives_way) else { return };
        chosen.remove(&gives_way);
        chosen.insert(newcomer.node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(fit: &[(u64, bool, &str)]) -> Vec<Candidate> {
        let candidate = |&(node, fit, zone): &(u64, bool, &str)| Candidate {
            node: NodeId(node),
            fit,
            region: String::new(),
            zone: zone.to_owned(),
        };
        fit.iter().map(candidate).collect()
    }

    fn ids(ids: &[u64]) -> BTreeSet<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    #[test]
    fn every_region_votes_as_far_as_there_are_voters_enough() {
        let candidate = |&(node, region): &(u64, &str)| Candidate {
            node: NodeId(node),
            fit: true,
            region: region.to_owned(),
            zone: String::new(),
        };
        let of = |all: &[(u64, &str)]| all.iter().map(candidate).collect::<Vec<_>>();
        let two = of(&[(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "b")]);
        assert_eq!(choose(&ids(&[1, 2, 3]), &two, NodeId(1)), ids(&[1, 2, 4]));
        assert_eq!(choose(&ids(&[1, 2, 4]), &two, NodeId(1)), ids(&[1, 2, 4]), "and stays so");
        let three = of(&[(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "c")]);
        assert_eq!(choose(&ids(&[1, 2, 3]), &three, NodeId(3)), ids(&[3, 4, 5]));
        let mut lost = three.clone();
        lost[3].fit = false;
        assert_eq!(choose(&ids(&[3, 4, 5]), &lost, NodeId(5)), ids(&[1, 3, 5]), "a region that is gone");
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
