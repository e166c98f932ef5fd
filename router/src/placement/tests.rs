//! What single placements look like; sequences of them are tested from outside.

use super::*;

fn nodes(zones: &[&str]) -> Vec<PlacementNode> {
    let node = |(at, zone): (usize, &&str)| PlacementNode {
        id: NodeId(at as u64 + 1),
        weight: 100,
        zone: zone.to_string(),
        region: String::new(),
        eligible: true,
    };
    zones.iter().enumerate().map(node).collect()
}

fn fresh(nodes: &[PlacementNode], copies: u8, partitions: usize) -> Vec<Vec<NodeId>> {
    place(nodes, copies, &vec![Vec::new(); partitions])
}

#[test]
fn placing_again_changes_nothing() {
    let n = nodes(&["a", "b", "c", "a", "b"]);
    let first = fresh(&n, 3, 256);
    assert_eq!(place(&n, 3, &first), first);
}

#[test]
fn fewer_nodes_than_copies_and_none() {
    assert_eq!(fresh(&nodes(&["a"]), 3, 2), [[NodeId(1)], [NodeId(1)]]);
    let two = fresh(&nodes(&["a", "a"]), 5, 4);
    assert!(two.iter().all(|held| held.len() == 2 && held[0] != held[1]));
    assert_eq!(fresh(&[], 2, 2), [[], []] as [[NodeId; 0]; 2]);
    assert_eq!(fresh(&nodes(&["a"]), 0, 1), [[]] as [[NodeId; 0]; 1]);
    assert!(place(&nodes(&["a"]), 2, &[]).is_empty());
}

#[test]
fn broken_seats_are_repaired() {
    let mut n = nodes(&["a", "a", "b"]);
    n[2].eligible = false;
    let broken = vec![vec![NodeId(1), NodeId(1)], vec![NodeId(9), NodeId(3)], vec![NodeId(2); 5]];
    let seats = place(&n, 2, &broken);
    let b = Balance::of(&n, 2, &seats);
    assert_eq!((b.seat_violations, b.zone_violations), (0, 0));
    assert_eq!((seats[0][0], seats[2][0]), (NodeId(1), NodeId(2)), "primaries that can stay do");
}

#[test]
fn survivors_become_primaries() {
    let mut n = nodes(&["", "", "", ""]);
    let before = fresh(&n, 2, 256);
    n[0].eligible = false;
    let after = place(&n, 2, &before);
    let orphans = before.iter().zip(&after).filter(|(old, _)| old[0] == NodeId(1));
    let (with_data, without): (Vec<_>, Vec<_>) = orphans.partition(|(old, new)| old.contains(&new[0]));
    assert!(with_data.len() > 9 * without.len(), "{} and {}", with_data.len(), without.len());
    assert_eq!(Moves::between(&before, &after).primaries, with_data.len() + without.len());
}

#[test]
fn weights_scale_primaries_and_seats() {
    let mut n = nodes(&["", "", "", ""]);
    n[3].weight = 200;
    let seats = fresh(&n, 2, 1000);
    let primaries = seats.iter().filter(|held| held[0] == NodeId(4)).count();
    let held = seats.iter().flatten().filter(|id| **id == NodeId(4)).count();
    assert_eq!((primaries, held), (400, 800));
}

#[test]
fn regions_are_kept_apart_where_the_shares_allow() {
    let mut n = nodes(&["a", "b", "c", "a", "b", "c"]);
    n.iter_mut().enumerate().for_each(|(at, node)| node.region = if at < 3 { "x" } else { "y" }.to_string());
    let b = Balance::of(&n, 2, &fresh(&n, 2, 256));
    assert_eq!((b.region_violations, b.zone_violations), (0, 0));
    assert!(b.seats_max_over_mean < 1.02);
    let b = Balance::of(&n[..5], 2, &fresh(&n[..5], 2, 256));
    assert!(b.region_violations <= 64 && b.zone_violations == 0, "{b:?}");
    assert!(b.seats_max_over_mean < 1.02, "balance comes before regions");
}
