//! A leader that fails to read its own log while a follower lags: the follower must not end corrupted.
//!
//! openraft issue 1795: after such an error a leader could send a later run of entries with no previous log id,
//! and the follower would take it for the beginning of the log.

use super::{
    faulty_disk::ReadFault,
    group::{Group, LIMIT, name, set},
};
use crate::disk::{Disk, Space};

async fn leader_fails_to_read(fault: ReadFault) {
    let group = Group::start(3).await;
    group.leads(0).await;
    group.board.cut(&name(3), true);
    group.members[2].channels().forget_all();
    group.members[0].channels().forget_all();
    for round in 0..10 {
        group.members[0].propose(&set("round", &round.to_string()), LIMIT).await.unwrap();
    }
    // The follower comes back, and the leader must read what it missed.
    group.disks[0].set(fault);
    group.board.cut(&name(3), false);
    let failed = tokio::time::timeout(LIMIT, group.members[0].failed()).await;
    assert!(failed.is_ok(), "a leader that cannot read its log must stop leading");
    assert!(group.disks[0].spoilt() > 0);

    let next = group.leader_among(&[1, 2]).await;
    group.members[next].propose(&set("after", "yes"), LIMIT).await.unwrap();
    let index = group.members[next].published().index;
    for at in [1, 2] {
        let mut watch = group.members[at].watch();
        watch.wait_for(|published| published.index >= index).await.unwrap();
    }
    let (one, two) = (group.members[1].published(), group.members[2].published());
    assert_eq!(one.state.digest(), two.state.digest());
    assert_eq!(log(&group, 1), log(&group, 2), "the logs agree entry by entry");
}

/// The entries on a member's disk, those above the lowest index that both members must still have.
fn log(group: &Group, at: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let disk = &group.disks[at].disk;
    let pairs = disk.range(Space::Log, &[], &[0xff; 9]).unwrap();
    let first = u64::from_be_bytes(pairs[0].0.as_slice().try_into().unwrap());
    let indexes: Vec<u64> =
        pairs.iter().map(|(key, _)| u64::from_be_bytes(key.as_slice().try_into().unwrap())).collect();
    assert!(indexes.iter().copied().eq(first..first + indexes.len() as u64), "a hole: {indexes:?}");
    pairs
}

#[tokio::test]
async fn a_read_error_stops_the_leader_and_spares_the_follower() {
    leader_fails_to_read(ReadFault::Error).await;
}

#[tokio::test]
async fn a_hole_in_the_leaders_log_stops_it_and_spares_the_follower() {
    leader_fails_to_read(ReadFault::Hole).await;
}
