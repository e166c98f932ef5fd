//! A node that fails is left alone, tried once in a while, and used again when it answers.

use super::rig::{Rig, addr, view_of};
use crate::{CallError, ReadFrom, Setback, Settings};
use predis_resp::Reply;
use predis_types::NodeId;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_dead_node_is_dialled_ever_less_often_however_many_calls_wait() {
    let mut rig = Rig::new();
    rig.net.refuse(&addr(2), true);
    let calls: Vec<_> = (0..50).map(|n| rig.call(&format!("INCR {{foo}}{n}"))).collect();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let dialled = rig.net.dialled(&addr(2));
    assert!((5..=20).contains(&dialled), "{dialled}");
    // Other nodes are not affected.
    let other = rig.call("GET bar");
    rig.nodes[0].accept().await.answer("GET bar", "_\r\n").await;
    assert_eq!(other.await.unwrap(), Ok(Reply::Null));

    rig.net.refuse(&addr(2), false);
    let mut node = rig.nodes[1].accept().await;
    let trial = node.hear().await.unwrap();
    node.expect_silence(Duration::from_millis(40)).await;
    assert!(trial.starts_with("INCR"), "one call is let through: {trial}");
    node.say(":1\r\n").await;
    for _ in 1..50 {
        assert!(node.hear().await.unwrap().starts_with("INCR"), "then all of them");
        node.say(":1\r\n").await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(Reply::Integer(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_says_it_is_down_is_left_alone_too() {
    let mut rig = Rig::new();
    let calls: Vec<_> = (0..3).map(|n| rig.call(&format!("GET {{foo}}{n}"))).collect();
    let mut node = rig.nodes[1].accept().await;
    for n in 0..3 {
        node.answer(&format!("GET {{foo}}{n}"), "-CLUSTERDOWN The cluster is down\r\n").await;
    }
    tokio::task::yield_now().await;
    let late = rig.call_within("INCR foo", Duration::from_millis(20)).await.unwrap();
    let alone = Setback::LeftAlone { addr: addr(2).as_str().into() };
    assert_eq!(late, Err(CallError::Deadline { limit: Duration::from_millis(20), last: Some(alone) }));
    for _ in 0..3 {
        assert!(node.hear().await.unwrap().starts_with("GET"));
        node.say("_\r\n").await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(Reply::Null));
    }
}

/// Node 1 is primary of everything, node 2 an in-sync replica in the client's zone.
fn near_replica() -> Rig {
    let mut view = view_of(1, 3, |_| 1);
    for owner in &mut view.topology.owners {
        owner.replicas = vec![NodeId(3), NodeId(2)];
    }
    let settings = Settings { read_from: ReadFrom::Nearest, zone: "z2".into(), ..Settings::default() };
    Rig::with(settings, view)
}

#[tokio::test(start_paused = true)]
async fn reads_go_to_a_replica_nearby_and_writes_to_the_primary() {
    let mut rig = near_replica();
    let (read, write) = (rig.call("GET foo"), rig.call("SET foo x"));
    let mut replica = rig.nodes[1].accept().await;
    replica.answer("READONLY", "+OK\r\n").await;
    replica.answer("GET foo", "$1\r\nx\r\n").await;
    rig.nodes[0].accept().await.answer("SET foo x", "+OK\r\n").await;
    assert_eq!(read.await.unwrap(), Ok(Reply::bulk("x")));
    assert_eq!(write.await.unwrap(), Ok(Reply::ok()));
}

#[tokio::test(start_paused = true)]
async fn where_no_replica_is_in_the_zone_one_in_the_region_is_read() {
    let mut view = view_of(1, 3, |_| 1);
    for (node, region) in [(1, "eu"), (2, "us"), (3, "ap")] {
        view.topology.nodes.get_mut(&NodeId(node)).unwrap().region = region.into();
    }
    for owner in &mut view.topology.owners {
        (owner.replicas, owner.others) = (vec![NodeId(3)], vec![NodeId(2)]);
    }
    let (zone, region) = ("z9".into(), "us".into());
    let settings = Settings { read_from: ReadFrom::Nearest, zone, region, ..Settings::default() };
    let mut rig = Rig::with(settings, view);
    let read = rig.call("GET foo");
    let mut replica = rig.nodes[1].accept().await;
    replica.answer("READONLY", "+OK\r\n").await;
    replica.answer("GET foo", "$1\r\nx\r\n").await;
    assert_eq!(read.await.unwrap(), Ok(Reply::bulk("x")));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_sends_readers_on_is_not_asked_again() {
    let mut rig = near_replica();
    let read = rig.call("GET foo");
    let mut replica = rig.nodes[1].accept().await;
    replica.answer("READONLY", "+OK\r\n").await;
    replica.answer("GET foo", &format!("-MOVED 12182 {}\r\n", addr(1))).await;
    let mut primary = rig.nodes[0].accept().await;
    primary.answer("GET foo", "$1\r\nx\r\n").await;
    assert_eq!(read.await.unwrap(), Ok(Reply::bulk("x")));
    let again = rig.call("GET {foo}2");
    primary.answer("GET {foo}2", "$1\r\ny\r\n").await;
    assert_eq!(again.await.unwrap(), Ok(Reply::bulk("y")));
    replica.expect_silence(Duration::from_millis(100)).await;
}
