//! Giving a partition away while requests come in.

use super::*;
use crate::shards::HandOverAction;
use predis_replica::{Ask, AskOutcome, Phase};
use std::time::Duration;
use tokio::{task::JoinHandle, time::timeout};

const PARTITION: PartitionId = PartitionId(0);

fn ask(attempt: u32) -> HandOverAction {
    let ask = Ask { partition: PARTITION, expected: Epoch(1), primary: OTHER.node };
    HandOverAction { attempt, ask }
}

/// What was held is let go long before its time is up.
async fn let_go(waiting: JoinHandle<Vec<Answer>>) -> Vec<Answer> {
    timeout(Duration::from_secs(5), waiting).await.expect("still held").unwrap()
}

/// A request that must be held for now.
async fn held(rig: &Rig, line: &str) -> JoinHandle<Vec<Answer>> {
    let completion = rig.submit(0, TENANT, commands(&[line]));
    assert!(matches!(completion, Completion::Pending(_)));
    let mut waiting = tokio::spawn(completion.answers());
    assert!(timeout(Duration::from_millis(5), &mut waiting).await.is_err(), "answered too early");
    waiting
}

#[tokio::test]
async fn an_empty_partition_moves_and_requests_wait_until_it_has() {
    let rig = Rig::new(2);
    assert_eq!(rig.shards.begin_hand_over(PARTITION, OTHER.node), [ask(1)]);
    assert_eq!(rig.shards.begin_hand_over(PARTITION, OTHER.node), [], "one at a time");
    let waiting = held(&rig, "SET k v").await;
    assert_eq!(rig.shards.serving(), [(PartitionId(1), Epoch(1))]);
    assert_eq!(rig.ask(1, commands(&["SET k v"])), [ok()], "other partitions go on");
    assert_eq!(rig.shards.answered(PARTITION, 1, AskOutcome::Committed), []);
    assert_eq!(let_go(waiting).await, [Answer::Moved(OTHER.node)]);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [Answer::Moved(OTHER.node)], "before the state says so too");
    rig.own(0, Some(OTHER), 2);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), None);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [Answer::Moved(OTHER.node)]);
}

#[tokio::test]
async fn a_refused_hand_over_resumes_and_what_was_held_is_served() {
    let rig = Rig::new(1);
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    let waiting = held(&rig, "SET k v").await;
    rig.shards.answered(PARTITION, 1, AskOutcome::Refused);
    assert_eq!(let_go(waiting).await, [ok()]);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")]);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), None);
}

#[test]
fn a_partition_with_keys_resumes_at_once() {
    let rig = Rig::new(1);
    rig.ask(0, commands(&["SET k v"]));
    assert_eq!(rig.shards.begin_hand_over(PARTITION, OTHER.node), []);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), None);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")]);
}

#[test]
fn only_what_is_served_is_handed_over_and_not_to_oneself() {
    let rig = Rig::new(2);
    rig.own(0, Some(OTHER), 2);
    assert_eq!(rig.shards.begin_hand_over(PARTITION, NodeId(3)), []);
    assert_eq!(rig.shards.begin_hand_over(PartitionId(1), ME.node), []);
    assert_eq!(rig.shards.begin_hand_over(PartitionId(7), OTHER.node), []);
    rig.lease.set(0);
    assert_eq!(rig.shards.begin_hand_over(PartitionId(1), OTHER.node), []);
    rig.lease.set(FOREVER);
    assert_eq!(rig.ask(1, commands(&["SET k v"])), [ok()]);
}

#[tokio::test]
async fn an_unknown_outcome_is_held_no_longer_than_allowed_and_asked_again() {
    let rig = Rig::with_hold(1, 50_000);
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    rig.shards.answered(PARTITION, 1, AskOutcome::Unknown);
    let waiting = held(&rig, "SET k v").await;
    rig.clock.advance_ms(50);
    assert_eq!(rig.shards.poll_hand_overs(), []);
    assert_eq!(let_go(waiting).await, [Answer::TryAgain]);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [Answer::TryAgain], "it stays stopped");
    rig.clock.advance_ms(150);
    assert_eq!(rig.shards.poll_hand_overs(), [ask(2)]);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), Some(Phase::Unknown));
    rig.own(0, Some(OTHER), 2);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [Answer::Moved(OTHER.node)]);
    assert_eq!(rig.shards.poll_hand_overs(), []);
}

#[tokio::test]
async fn a_request_is_let_go_by_its_timer_though_nobody_polls() {
    let rig = Rig::with_hold(1, 50_000);
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    let waiting = held(&rig, "SET k v").await;
    assert_eq!(let_go(waiting).await, [Answer::TryAgain]);
}

#[tokio::test]
async fn a_state_that_gives_the_partition_back_under_a_new_epoch_serves_what_was_held() {
    let rig = Rig::new(1);
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    let waiting = held(&rig, "SET k v").await;
    rig.own(0, Some(ME), 2);
    assert_eq!(let_go(waiting).await, [ok()]);
    assert_eq!(rig.shards.answered(PARTITION, 1, AskOutcome::Refused), [], "an answer that comes late");
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")]);
}
