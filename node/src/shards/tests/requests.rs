//! What is asked of one partition, and in which order.

use super::*;
use predis_shard::{HashPosition, ScanOptions};

#[test]
fn a_batch_runs_in_program_order_and_has_an_answer_per_call() {
    let rig = Rig::new(1);
    let lines = ["SET k 1", "INCR k", "GET k", "DEL k", "GET k", "INCR k", "APPEND k"];
    let mut answers = rig.ask(0, commands(&lines));
    let last = answers.pop().unwrap();
    assert_eq!(answers, [ok(), number(2), text("2"), number(1), nil(), number(1)]);
    assert!(matches!(last, Answer::Reply(Reply::Error(text)) if text.contains("'append'")));
    assert_eq!(rig.ask(0, commands(&[])), []);
}

#[test]
fn a_batch_that_adds_more_than_the_budget_at_a_time_is_still_in_order() {
    let rig = Rig::with_memory(4, 3_000_000);
    let value = "v".repeat(100_000);
    let lines: Vec<String> = (0..100).map(|i| format!("SET k{i} {i}{value}")).collect();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.extend(["STRLEN k99", "STRLEN k0"]);
    let answers = rig.ask(2, commands(&lines));
    assert_eq!(answers.len(), 102);
    assert!(answers[..100].iter().all(|answer| *answer == ok()));
    assert_eq!(answers[100..], [number(100_002), number(0)], "the newest stay, the oldest went");
    assert!(rig.used() <= 3_000_000);
}

#[test]
fn work_on_all_keys_of_a_partition() {
    let rig = Rig::new(1);
    assert_eq!(rig.ask(0, Work::RandomKey), [Answer::Key(None)]);
    rig.call("SET k v");
    let key = || Bytes::from_static(b"k");
    let slot = key_slot(b"k");
    let options = ScanOptions::default();
    for (work, expected) in [
        (Work::Len, Answer::Count(1)),
        (Work::RandomKey, Answer::Key(Some(key()))),
        (Work::Keys { pattern: Bytes::from_static(b"*") }, Answer::Keys(vec![key()])),
        (Work::Keys { pattern: Bytes::from_static(b"x*") }, Answer::Keys(Vec::new())),
        (Work::CountKeysInSlot(slot), Answer::Count(1)),
        (Work::KeysInSlot { slot, limit: 5 }, Answer::Keys(vec![key()])),
        (Work::KeysInSlot { slot, limit: 0 }, Answer::Keys(Vec::new())),
        (
            Work::Scan { from: HashPosition::START, options },
            Answer::Page(predis_shard::ScanPage { keys: vec![key()], next: None }),
        ),
    ] {
        assert_eq!(rig.ask(0, work), [expected]);
    }
    rig.call("GET k");
    let [Answer::Stats(stats)] = &rig.ask(0, Work::Stats)[..] else { panic!("no stats") };
    assert_eq!((stats.keys, stats.counters.hits), (1, 1));
    assert_eq!(rig.ask(0, Work::ResetCounters), [Answer::Done]);
    assert_eq!(rig.shards.stats(TENANT).counters.hits, 0);
    assert_eq!(rig.ask(0, Work::Flush), [Answer::Done]);
    assert_eq!(rig.ask(0, Work::Len), [Answer::Count(0)]);
    assert_eq!(rig.used(), 0);
}

#[test]
fn random_keys_vary_between_calls() {
    let rig = Rig::new(1);
    for i in 0..50 {
        rig.call(&format!("SET k{i} v"));
    }
    let drawn: Vec<Vec<Answer>> = (0..20).map(|_| rig.ask(0, Work::RandomKey)).collect();
    assert!(drawn.iter().any(|answer| *answer != drawn[0]));
}
