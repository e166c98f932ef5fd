//! One connection: batches, order, pushes, first words, tokens.

use super::rig::{Rig, addr, view_of};
use crate::{CallError, Credentials, Settings};
use predis_resp::Reply;
use predis_types::Secret;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn calls_that_wait_together_are_written_together() {
    let mut rig = Rig::new();
    let calls: Vec<_> = (0..100).map(|n| rig.call(&format!("GET {{foo}}{n}"))).collect();
    let mut node = rig.nodes[1].accept().await;
    for n in 0..100 {
        node.answer(&format!("GET {{foo}}{n}"), &format!("$2\r\n{n:02}\r\n")).await;
    }
    assert_eq!(rig.net.writes(&addr(2)), 2, "one for the first words, one for all the rest");
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(Reply::bulk(format!("{n:02}"))), "each has its own answer");
    }
}

#[tokio::test(start_paused = true)]
async fn pushes_answer_nobody() {
    let mut rig = Rig::new();
    let (one, two) = (rig.call("GET {foo}1"), rig.call("GET {foo}2"));
    let mut node = rig.nodes[1].accept().await;
    node.expect("GET {foo}1").await;
    node.expect("GET {foo}2").await;
    let push = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nfoo\r\n";
    node.say(&format!("{push}$1\r\n1\r\n{push}{push}$1\r\n2\r\n{push}")).await;
    assert_eq!(one.await.unwrap(), Ok(Reply::bulk("1")));
    assert_eq!(two.await.unwrap(), Ok(Reply::bulk("2")));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_asked_for_ends_the_connection() {
    let mut rig = Rig::new();
    let call = rig.call("GET foo");
    let mut node = rig.nodes[1].accept().await;
    node.answer("GET foo", "$1\r\nx\r\n$1\r\ny\r\n").await;
    // The second answer came with the first: neither can be told from the other any more.
    let mut again = rig.nodes[1].accept().await;
    again.answer("GET foo", "$1\r\nz\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("z")));
    assert_eq!(node.hear().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_breach_of_the_protocol_ends_the_connection() {
    let mut rig = Rig::new();
    let call = rig.call("GET foo");
    rig.nodes[1].accept().await.answer("GET foo", "nonsense\r\n").await;
    rig.nodes[1].accept().await.answer("GET foo", "$1\r\nx\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("x")));
}

#[tokio::test(start_paused = true)]
async fn unanswered_calls_are_bounded_and_more_wait() {
    let settings = Settings { max_in_flight: 2, ..Settings::default() };
    let mut rig = Rig::with(settings, view_of(1, 1, |_| 1));
    let calls: Vec<_> = (0..5).map(|n| rig.call(&format!("GET {n}"))).collect();
    let mut node = rig.nodes[0].accept().await;
    for n in 0..2 {
        node.expect(&format!("GET {n}")).await;
    }
    node.expect_silence(Duration::from_millis(500)).await;
    node.say("$1\r\n0\r\n$1\r\n1\r\n").await;
    for n in 2..5 {
        let heard = node.hear().await.unwrap();
        node.say(&format!("$1\r\n{}\r\n", heard.trim_start_matches("GET "))).await;
        assert!(n < 5);
    }
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(Reply::bulk(n.to_string())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_keeps_its_connection_and_keys_are_spread_over_several() {
    let settings = Settings { connections: 2, ..Settings::default() };
    let mut rig = Rig::with(settings, view_of(1, 1, |_| 1));
    // Slot 12182 is even, slot 5061 odd.
    let calls = [rig.call("GET foo"), rig.call("GET bar"), rig.call("GET {foo}2")];
    let mut even = rig.nodes[0].accept().await;
    let mut odd = rig.nodes[0].accept().await;
    even.answer("GET foo", "_\r\n").await;
    even.answer("GET {foo}2", "_\r\n").await;
    odd.answer("GET bar", "_\r\n").await;
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(Reply::Null));
    }
}

#[tokio::test(start_paused = true)]
async fn each_connection_presents_the_token_as_it_is_then() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "old").unwrap();
    let credentials = Credentials::File { user: Some("app".into()), path: file.path().to_owned() };
    let mut rig = Rig::as_somebody(Settings::default(), view_of(1, 1, |_| 1), credentials);
    let call = rig.call("INCR foo");
    let mut node = rig.nodes[0].accept_raw().await;
    node.answer("HELLO 3 AUTH app old", "%0\r\n").await;
    // Revoked meanwhile, and replaced.
    std::fs::write(file.path(), "new\n").unwrap();
    node.answer("INCR foo", "-NOAUTH Authentication required.\r\n").await;
    let mut node = rig.nodes[0].accept_raw().await;
    node.answer("HELLO 3 AUTH app new", "%0\r\n").await;
    node.answer("INCR foo", ":1\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_said_at_once_and_is_no_setback() {
    let token = Secret::new("wrong");
    let credentials = Credentials::Token { user: None, token };
    let mut rig = Rig::as_somebody(Settings::default(), view_of(1, 1, |_| 1), credentials);
    let call = rig.call("GET foo");
    let mut node = rig.nodes[0].accept_raw().await;
    let refusal = "WRONGPASS invalid username-password pair or user is disabled.";
    node.answer("AUTH wrong", &format!("-{refusal}\r\n")).await;
    assert_eq!(call.await.unwrap(), Err(CallError::Auth(refusal.into())));
    for _ in 0..10 {
        let call = rig.call("GET foo");
        let mut node = rig.nodes[0].accept_raw().await;
        node.answer("AUTH wrong", &format!("-{refusal}\r\n")).await;
        assert_eq!(
            call.await.unwrap(),
            Err(CallError::Auth(refusal.into())),
            "the node is not left alone for it"
        );
    }
}
