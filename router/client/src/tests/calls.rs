//! Where calls go and what comes of redirections and refusals.

use super::rig::{Rig, addr, view_of};
use crate::{CallError, Setback, Settings};
use predis_resp::Reply;
use predis_types::{NodeId, PartitionId};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const OK: &str = "+OK\r\n";

#[tokio::test(start_paused = true)]
async fn keys_go_to_their_primaries() {
    let mut rig = Rig::new();
    let (foo, bar) = (rig.call("GET foo"), rig.call("GET bar"));
    rig.nodes[1].accept().await.answer("GET foo", "$1\r\nx\r\n").await;
    rig.nodes[0].accept().await.answer("GET bar", "_\r\n").await;
    assert_eq!(foo.await.unwrap(), Ok(Reply::bulk("x")));
    assert_eq!(bar.await.unwrap(), Ok(Reply::Null));
}

#[tokio::test(start_paused = true)]
async fn errors_that_are_answers_are_passed_on() {
    let mut rig = Rig::new();
    let call = rig.call("INCR foo");
    let mut node = rig.nodes[1].accept().await;
    node.answer("INCR foo", "-ERR value is not an integer or out of range\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::error("ERR value is not an integer or out of range")));
    let client = rig.client.clone();
    let call = tokio::spawn(async move { client.incr("foo", 1).await });
    node.answer("INCRBY foo 1", "-WRONGTYPE no\r\n").await;
    assert_eq!(call.await.unwrap(), Err(CallError::Server("WRONGTYPE no".into())));
}

#[tokio::test(start_paused = true)]
async fn a_redirection_is_followed_and_remembered() {
    let mut rig = Rig::new();
    let call = rig.call("INCR foo");
    let mut second = rig.nodes[1].accept().await;
    second.answer("INCR foo", &format!("-MOVED 12182 {}\r\n", addr(1))).await;
    let mut first = rig.nodes[0].accept().await;
    first.answer("INCR foo", ":1\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
    let again = rig.call("INCR foo");
    first.answer("INCR foo", ":2\r\n").await;
    assert_eq!(again.await.unwrap(), Ok(Reply::Integer(2)), "asked where it was sent before");

    // A newer view counts for more.
    rig.view.send_replace(Arc::new(view_of(2, 2, |_| 2)));
    tokio::task::yield_now().await;
    let again = rig.call("INCR foo");
    second.answer("INCR foo", ":1\r\n").await;
    assert_eq!(again.await.unwrap(), Ok(Reply::Integer(1)));
}

#[tokio::test(start_paused = true)]
async fn a_redirection_without_a_host_means_the_same_host() {
    let mut rig = Rig::new();
    let mut other = rig.net.listen("node2:7000");
    let call = rig.call("INCR foo");
    rig.nodes[1].accept().await.answer("INCR foo", "-MOVED 12182 :7000\r\n").await;
    other.accept().await.answer("INCR foo", ":1\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
}

#[tokio::test(start_paused = true)]
async fn nodes_that_disagree_for_good_end_in_a_deadline() {
    let mut rig = Rig::new();
    let call = rig.call_within("GET foo", Duration::from_secs(2));
    let mut second = rig.nodes[1].accept().await;
    second.answer("GET foo", &format!("-MOVED 12182 {}\r\n", addr(1))).await;
    let mut first = rig.nodes[0].accept().await;
    let talk = async {
        let mut asked = 0;
        loop {
            first.answer("GET foo", &format!("-MOVED 12182 {}\r\n", addr(2))).await;
            second.answer("GET foo", &format!("-MOVED 12182 {}\r\n", addr(1))).await;
            asked += 2;
            assert!(asked < 500, "redirections are not paused between");
        }
    };
    let result = tokio::select! { result = call => result.unwrap(), () = talk => unreachable!() };
    assert!(
        matches!(result, Err(CallError::Deadline { last: Some(Setback::Refused { .. }), .. })),
        "{result:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_node_puts_off_is_tried_again() {
    let mut rig = Rig::new();
    let call = rig.call("INCR foo");
    let mut node = rig.nodes[1].accept().await;
    node.answer("INCR foo", "-TRYAGAIN Multiple keys request during rehashing of slot\r\n").await;
    node.answer("INCR foo", "-LOADING Redis is loading the dataset in memory\r\n").await;
    node.answer("INCR foo", ":1\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_carried_out_is_not_tried_again() {
    let mut rig = Rig::new();
    let (unsafe_, safe) = (rig.call("INCR foo"), rig.call("SET foo x"));
    let mut node = rig.nodes[1].accept().await;
    node.answer("INCR foo", "-CLUSTERDOWN The outcome is unknown\r\n").await;
    node.answer("SET foo x", "-CLUSTERDOWN The outcome is unknown\r\n").await;
    assert!(matches!(unsafe_.await.unwrap(), Err(CallError::Ambiguous { .. })));
    node.answer("SET foo x", OK).await;
    assert_eq!(safe.await.unwrap(), Ok(Reply::ok()));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_partition_nobody_serves_waits_for_news_and_sends_nothing() {
    let mut rig =
        Rig::with(Settings::default(), view_of(1, 2, |partition| if partition == 11 { 0 } else { 1 }));
    let started = Instant::now();
    let call = rig.call("INCR foo");
    let late = rig.call_within("INCR foo", Duration::from_millis(500));
    let result = late.await.unwrap();
    let unserved = Some(Setback::Unserved(PartitionId(11)));
    assert_eq!(result, Err(CallError::Deadline { limit: Duration::from_millis(500), last: unserved }));
    assert_eq!(started.elapsed(), Duration::from_millis(500));
    assert_eq!(rig.net.dialled(&addr(1)) + rig.net.dialled(&addr(2)), 0);
    rig.view.send_replace(Arc::new(view_of(2, 2, |_| 2)));
    rig.nodes[1].accept().await.answer("INCR foo", ":1\r\n").await;
    assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
    assert_eq!(started.elapsed(), Duration::from_millis(500), "news is not waited for longer than it takes");
}

#[tokio::test(start_paused = true)]
async fn pieces_go_to_several_nodes_and_come_back_as_one() {
    let mut rig = Rig::new();
    let call = rig.call("MGET foo bar {foo}2");
    rig.nodes[1].accept().await.answer("MGET foo {foo}2", "*2\r\n$1\r\n1\r\n$1\r\n3\r\n").await;
    let mut first = rig.nodes[0].accept().await;
    first.answer("MGET bar", "*1\r\n_\r\n").await;
    let expected = Reply::Array(vec![Reply::bulk("1"), Reply::Null, Reply::bulk("3")]);
    assert_eq!(call.await.unwrap(), Ok(expected));
    let call = rig.call("RENAME foo bar");
    assert!(matches!(call.await.unwrap(), Err(CallError::CrossSlot(_))));
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_lives_in_one_partition_is_routed_there() {
    let mut view = view_of(1, 2, |partition| 1 + u64::from(partition == 3));
    view.colocated_in = Some(PartitionId(3));
    let mut rig = Rig::with(Settings::default(), view);
    let call = rig.call("RENAME foo bar");
    rig.nodes[1].accept().await.answer("RENAME foo bar", OK).await;
    assert_eq!(call.await.unwrap(), Ok(Reply::ok()));
}

#[tokio::test(start_paused = true)]
async fn several_commands_go_to_one_node_as_they_are() {
    let mut rig = Rig::new();
    let commands: Vec<Vec<bytes::Bytes>> =
        vec![vec!["GET".into(), "foo".into()], vec!["INCR".into(), "bar".into()], vec!["PING".into()]];
    let client = rig.client.clone();
    let call =
        tokio::spawn(async move { client.call_many_on(NodeId(1), &commands, Duration::from_secs(1)).await });
    let mut node = rig.nodes[0].accept().await;
    node.answer("GET foo", "-MOVED 12182 node2:6379\r\n").await;
    node.answer("INCR bar", ":1\r\n").await;
    node.expect("PING").await;
    drop(node);
    let replies = call.await.unwrap().unwrap();
    assert_eq!(replies[0], Ok(Reply::error("MOVED 12182 node2:6379")));
    assert_eq!(replies[1], Ok(Reply::Integer(1)));
    assert!(matches!(replies[2], Err(CallError::Ambiguous { .. })), "{replies:?}");
}
