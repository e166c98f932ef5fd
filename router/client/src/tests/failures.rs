//! Connections that break or fall silent, before and after a call was sent; deadlines; the retry budget.

use super::rig::{Rig, addr, view_of};
use crate::{CallError, RetrySettings, Setback, Settings};
use predis_resp::Reply;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_call_that_was_lost_is_repeated_only_if_it_may_be() {
    for (command, repeated) in [
        ("GET foo", true),
        ("SET foo x", true),
        ("SET foo x NX", false),
        ("INCR foo", false),
        ("EXPIRE foo 10", true),
        ("EXPIRE foo 10 GT", false),
        ("GETDEL foo", false),
    ] {
        let mut rig = Rig::new();
        let call = rig.call(command);
        let mut node = rig.nodes[1].accept().await;
        node.expect(command).await;
        drop(node);
        if repeated {
            rig.nodes[1].accept().await.answer(command, ":7\r\n").await;
            assert_eq!(call.await.unwrap(), Ok(Reply::Integer(7)), "{command}");
        } else {
            let lost = Setback::Lost { addr: addr(2).as_str().into() };
            assert_eq!(call.await.unwrap(), Err(CallError::Ambiguous { cause: lost }), "{command}");
            assert!(rig.nodes[1].is_idle());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_have_been_sent_is_always_repeated() {
    let mut rig = Rig::new();
    rig.net.refuse(&addr(2), true);
    let call = rig.call("INCR foo");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!call.is_finished() && rig.net.dialled(&addr(2)) >= 2);
    rig.net.refuse(&addr(2), false);
    let mut node = rig.nodes[1].accept_raw().await;
    node.expect("HELLO 3").await;
    // Closed before the first words were answered.
    drop(node);
    rig.nodes[1].accept().await.answer("INCR foo", ":1\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
}

#[tokio::test(start_paused = true)]
async fn a_command_of_which_the_node_has_only_a_part_was_not_carried_out() {
    let mut rig = Rig::new();
    // Larger than the pipe: the socket has taken a part when the connection breaks.
    let command = format!("APPEND foo {}", "x".repeat(3 << 20));
    let call = rig.call(&command);
    let node = rig.nodes[1].accept().await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    drop(node);
    rig.nodes[1].accept().await.answer(&command, ":1\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_kept_and_says_what_is_known() {
    let mut rig = Rig::new();
    let limit = Duration::from_millis(700);
    let started = Instant::now();
    let (write, read) = (rig.call_within("INCR foo", limit), rig.call_within("GET foo", limit));
    let mut node = rig.nodes[1].accept().await;
    node.expect("INCR foo").await;
    let cause = Setback::Unanswered(limit);
    assert_eq!(write.await.unwrap(), Err(CallError::Ambiguous { cause }));
    assert_eq!(read.await.unwrap(), Err(CallError::Deadline { limit, last: None }));
    assert_eq!(started.elapsed(), limit);
    // Answers that come too late are not taken for those of later calls.
    let later = rig.call("GET foo");
    node.expect("GET foo").await;
    node.say(":1\r\n$3\r\nold\r\n").await;
    node.answer("GET foo", "$3\r\nnew\r\n").await;
    assert_eq!(later.await.unwrap(), Ok(Reply::bulk("new")));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_given_up_and_writes_on_it_are_not_repeated() {
    let mut rig = Rig::new();
    let started = Instant::now();
    let (read, write) = (rig.call("GET foo"), rig.call("SET foo x"));
    let mut silent = rig.nodes[1].accept().await;
    silent.expect("GET foo").await;
    silent.expect("SET foo x").await;
    rig.nodes[1].accept().await.answer("GET foo", "$1\r\nx\r\n").await;
    assert_eq!(read.await.unwrap(), Ok(Reply::bulk("x")));
    // The node may still read it, after whatever is sent on a new connection.
    let silence = Setback::Silent { addr: addr(2).as_str().into() };
    assert_eq!(write.await.unwrap(), Err(CallError::Ambiguous { cause: silence }));
    let after = started.elapsed();
    assert!(after >= Duration::from_secs(2) && after < Duration::from_secs(3), "{after:?}");
    assert_eq!(silent.hear().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_slow_command_about_all_keys_is_no_silence() {
    let mut rig = Rig::new();
    let call = rig.call("PARTITION KEYS 3 *");
    let mut node = rig.nodes[0].accept().await;
    node.expect("PARTITION KEYS 3 *").await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    node.say("*0\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Array(Vec::new())));
}

#[tokio::test(start_paused = true)]
async fn when_the_retry_budget_is_spent_calls_fail_at_once() {
    let retry =
        RetrySettings { tokens: 2, tokens_per_call: 0.0, tokens_per_second: 0.0, ..RetrySettings::default() };
    let mut rig = Rig::with(Settings { retry, ..Settings::default() }, view_of(1, 1, |_| 1));
    let call = rig.call("GET foo");
    let mut node = rig.nodes[0].accept().await;
    for _ in 0..3 {
        node.answer("GET foo", "-TRYAGAIN later\r\n").await;
    }
    let result = call.await.unwrap();
    let cause = Setback::Refused { addr: addr(1).as_str().into(), line: "TRYAGAIN later".into() };
    assert_eq!(result, Err(CallError::Unavailable { cause }));
    let call = rig.call("GET foo");
    node.answer("GET foo", "$1\r\nx\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")), "first attempts are free");
}
