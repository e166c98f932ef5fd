//! Giving a partition away while requests come in.

use super::*;
use crate::shards::{HandOverAction, Heard};
use predis_replica::{Ack, Ask, AskOutcome, Phase};
use predis_types::Sequence;
use std::time::Duration;
use tokio::{task::JoinHandle, time::timeout};

const PARTITION: PartitionId = PartitionId(0);

fn ask(attempt: u32) -> HandOverAction {
    let ask = Ask { partition: PARTITION, expected: Epoch(1), primary: OTHER.node };
    HandOverAction { attempt, ask }
}

/// Every partition has the other node in sync.
fn replicated(partitions: u16, hold_us: u64) -> Rig {
    let rig = Rig::with_hold(partitions, hold_us);
    for partition in rig.count.iter() {
        rig.hold(partition.0, Some(ME), 1, Members { lost: 1, ..members(2, &[ME, OTHER]) });
    }
    rig
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
async fn a_partition_moves_and_requests_wait_until_it_has() {
    let rig = replicated(2, HOLD_US);
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
    let rig = replicated(1, HOLD_US);
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    let waiting = held(&rig, "SET k v").await;
    rig.shards.answered(PARTITION, 1, AskOutcome::Refused);
    assert_eq!(let_go(waiting).await, [ok()]);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")]);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), None);
}

#[test]
fn a_partition_moves_once_the_other_has_everything_and_stays_if_it_is_not_in_sync() {
    let rig = replicated(1, 50_000);
    rig.ask(0, commands(&["SET k v"]));
    assert_eq!(rig.shards.begin_hand_over(PARTITION, NodeId(3)), []);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), None, "it has no copy");
    assert_eq!(rig.shards.begin_hand_over(PARTITION, OTHER.node), []);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), Some(Phase::Stopped), "it waits");
    let queue = rig.shards.queue_to(OTHER).unwrap();
    rig.shards.acknowledged(&queue, PARTITION, Epoch(1), has(1));
    assert_eq!(rig.shards.poll_hand_overs(), [ask(1)]);
    rig.shards.answered(PARTITION, 1, AskOutcome::Refused);
    assert_eq!(rig.ask(0, commands(&["SET k w", "GET k"])), [ok(), text("w")]);
    // The other is too slow this time.
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    rig.clock.advance_ms(50);
    assert_eq!(rig.shards.poll_hand_overs(), []);
    assert_eq!(rig.shards.hand_over_phase(PARTITION), None);
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("w")]);
}

#[test]
fn what_is_given_away_neither_expires_nor_is_evicted() {
    let rig = replicated(1, HOLD_US);
    rig.ask(0, commands(&["SET k v PX 10"]));
    let queue = rig.shards.queue_to(OTHER).unwrap();
    rig.shards.acknowledged(&queue, PARTITION, Epoch(1), has(1));
    assert_eq!(rig.shards.begin_hand_over(PARTITION, OTHER.node), [ask(1)]);
    rig.clock.advance_ms(20);
    assert_eq!(rig.shards.expire(10).removed, 0);
    rig.shards.set_memory_bytes(Some(0));
    assert!(rig.used() > 0);
    rig.shards.answered(PARTITION, 1, AskOutcome::Refused);
    assert_eq!(rig.shards.expire(10).removed, 1);
}

/// The other node has everything up to a sequence.
fn has(matched: u64) -> Heard {
    Heard::Ack(Ack { session: 1, matched: Sequence(matched), copying: None })
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
    let rig = replicated(1, 50_000);
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
    let rig = replicated(1, 50_000);
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    let waiting = held(&rig, "SET k v").await;
    assert_eq!(let_go(waiting).await, [Answer::TryAgain]);
}

#[tokio::test]
async fn a_state_that_gives_the_partition_back_under_a_new_epoch_serves_what_was_held() {
    let rig = replicated(1, HOLD_US);
    rig.shards.begin_hand_over(PARTITION, OTHER.node);
    let waiting = held(&rig, "SET k v").await;
    rig.own(0, Some(ME), 2);
    assert_eq!(let_go(waiting).await, [ok()]);
    assert_eq!(rig.shards.answered(PARTITION, 1, AskOutcome::Refused), [], "an answer that comes late");
    assert_eq!(rig.ask(0, commands(&["GET k"])), [text("v")]);
}
