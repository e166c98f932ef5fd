//! A group of members: agreement, forwarding, linearizable reads, restart, snapshots.

use super::{
    faulty_disk::FaultyDisk,
    group::{Group, LIMIT, create_cluster, name, set},
};
use crate::{
    disk::{Disk, Space},
    error::ProposeError,
};
use predis_meta::VERSION;
use predis_types::NodeId;

#[tokio::test]
async fn any_member_proposes_and_reads() {
    let group = Group::start(3).await;
    for (at, member) in group.members.iter().enumerate() {
        let agreed = member.propose(&set("key", &at.to_string()), LIMIT).await.unwrap();
        for reader in &group.members {
            let read = reader.read(LIMIT).await.unwrap();
            assert!(read.index >= agreed.index);
            assert_eq!(read.state.config().get("key"), Some(&at.to_string()));
        }
    }
}

#[tokio::test]
async fn a_refused_command_says_why_wherever_it_was_proposed() {
    let group = Group::start(3).await;
    for member in &group.members {
        let refused = member.propose(&create_cluster(VERSION), LIMIT).await.unwrap_err();
        assert!(matches!(refused, ProposeError::Rejected(_)), "{refused}");
        assert!(!refused.is_retryable());
    }
}

#[tokio::test]
async fn a_late_comer_catches_up_through_a_snapshot() {
    let group = Group::start(3).await;
    for round in 0..100 {
        group.members[0].propose(&set("round", &round.to_string()), LIMIT).await.unwrap();
    }
    let written = group.members[0].published().index;
    let disk = FaultyDisk::default();
    let late = group.member(4, &disk).await;
    group.members[0].add_learner(NodeId(4), &name(4)).await.unwrap();
    late.watch().wait_for(|published| published.index >= written).await.unwrap();
    assert_eq!(late.published().state.config().get("round").map(String::as_str), Some("99"));
    let first = disk.range(Space::Log, &[], &[0xff; 9]).unwrap().first().cloned();
    assert!(first.is_none_or(|(key, _)| key > 40u64.to_be_bytes().to_vec()), "sent a snapshot, not the log");
}

#[tokio::test]
async fn a_decision_of_another_term_has_no_effect() {
    let group = Group::start(3).await;
    group.leads(0).await;
    let term = group.members[0].leadership().term;
    group.members[0].propose_in_term(&set("term", "now"), term, LIMIT).await.unwrap();
    for wrong in [term - 1, term + 1] {
        let refused =
            group.members[0].propose_in_term(&set("term", "wrong"), wrong, LIMIT).await.unwrap_err();
        assert!(matches!(refused, ProposeError::Unavailable(_)), "{refused}");
    }
    let refused = group.members[1].propose_in_term(&set("term", "wrong"), term, LIMIT).await.unwrap_err();
    assert!(matches!(refused, ProposeError::Unavailable(_)), "a follower passes nothing on: {refused}");
    for member in &group.members {
        let read = member.read(LIMIT).await.unwrap();
        assert_eq!(read.state.config().get("term").map(String::as_str), Some("now"));
    }
}

#[tokio::test]
async fn everything_agreed_on_survives_a_restart_of_all() {
    let group = Group::start(3).await;
    group.members[1].propose(&set("kept", "yes"), LIMIT).await.unwrap();
    for member in &group.members {
        member.shutdown().await;
    }
    for disk in &group.disks {
        disk.disk.crash(0);
    }
    let mut restarted = Group { board: group.board.clone(), members: Vec::new(), disks: Vec::new() };
    for (at, disk) in group.disks.iter().enumerate() {
        restarted.members.push(restarted.member(at as u64 + 1, disk).await);
    }
    let leader = restarted.leader_among(&[0, 1, 2]).await;
    let read = restarted.members[leader].read(LIMIT).await.unwrap();
    assert_eq!(read.state.config().get("kept").map(String::as_str), Some("yes"));
}

#[tokio::test]
async fn one_that_led_leads_again_in_a_later_term_only() {
    for count in [1, 3] {
        let mut group = Group::start(count).await;
        group.leads(0).await;
        let before = group.members[0].leadership();
        group.members[0].shutdown().await;
        group.disks[0].disk.crash(0);
        group.members[0] = group.member(1, &group.disks[0]).await;
        // In what it had not synced there may have been entries that the others committed in its term.
        let all: Vec<usize> = (0..group.members.len()).collect();
        let next = group.leader_among(&all).await;
        assert!(group.members[next].leadership().term > before.term, "of {count}");
        let agreed = group.members[next].propose(&set("led", "by-now"), LIMIT).await.unwrap();
        // Before it has heard of that it may know of no leader.
        group.members[0].watch().wait_for(|published| published.index >= agreed.index).await.unwrap();
        group.members[0].propose(&set("led", "again"), LIMIT).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_majority_nothing_is_agreed_or_read() {
    let group = Group::start(3).await;
    group.leads(0).await;
    group.members[1].shutdown().await;
    group.members[2].shutdown().await;
    let limit = std::time::Duration::from_millis(500);
    let proposed = group.members[0].propose(&set("lost", "x"), limit).await.unwrap_err();
    assert!(matches!(proposed, ProposeError::Unknown(_)), "{proposed}");
    let read = group.members[0].read(limit).await.unwrap_err();
    assert!(matches!(read, ProposeError::Unavailable(_)), "{read}");
}

#[tokio::test]
async fn a_leader_that_is_dropped_steps_down_and_may_follow_again() {
    let group = Group::start(3).await;
    let before = group.members[0].leadership();
    // Without a vote it leads on; without a place it does not. On a busy machine another may lead in between.
    while group.members[group.leader_among(&[0, 1, 2]).await]
        .set_voters(&[2].map(NodeId).into())
        .await
        .is_err()
    {}
    while group.members[group.leader_among(&[0, 1]).await].remove_learner(NodeId(1)).await.is_err() {}
    let leader = group.leader_among(&[1, 2]).await;
    assert_eq!(leader, 1, "the only voter");
    assert!(group.members[1].leadership().term > before.term);
    group.members[1].propose(&set("led-by", "the other"), LIMIT).await.unwrap();
    assert!(!group.members[0].leadership().is_me);
    assert_eq!(group.members[1].members().1, [2, 3].map(NodeId).into());

    group.members[1].add_learner(NodeId(1), &name(1)).await.unwrap();
    let agreed = group.members[1].propose(&set("heard-by", "all"), LIMIT).await.unwrap();
    for member in &group.members {
        member.watch().wait_for(|published| published.index >= agreed.index).await.unwrap();
        assert_eq!(member.leadership().leader, Some(NodeId(2)));
    }
}
