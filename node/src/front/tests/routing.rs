//! Who may be asked for which keys: CROSSSLOT, MOVED, CLUSTERDOWN.

use super::*;
use predis_types::{SLOTS, key_slot};

/// Of 16 partitions, which one a key is in.
fn partition_of(key: &str) -> u16 {
    key_slot(key.as_bytes()).number() / (SLOTS / 16)
}

#[tokio::test]
async fn keys_of_several_slots_are_refused_whole() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let words = "CROSSSLOT Keys in request don't hash to the same slot";
    assert_eq!(client.error("MSET a 1 b 2").await, words);
    assert_eq!(client.call("EXISTS a").await, Reply::Integer(0));
    assert_eq!(client.call("MSET {t}a 1 {t}b 2").await, Reply::ok());
    assert_eq!(client.call("MGET {t}a {t}b").await, Reply::Array(vec![bulk("1"), bulk("2")]));
    // In one partition, but not in one slot.
    let mut neighbours = (0..).map(|n| format!("k{n}")).filter(|key| partition_of(key) == 0);
    let a = neighbours.next().unwrap();
    let b = neighbours.find(|key| key_slot(key.as_bytes()) != key_slot(a.as_bytes())).unwrap();
    assert_eq!(client.error(&format!("DEL {a} {b}")).await, words);
}

#[tokio::test]
async fn keys_of_another_node_are_redirected_also_for_readers() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let (slot, partition) = (key_slot(b"foo"), partition_of("foo"));
    assert_eq!(client.call("GET foo").await, Reply::Null);
    rig.give_away(&[partition]).await;
    let words = format!("MOVED {slot} 10.0.0.2:7002");
    assert_eq!(client.error("GET foo").await, words);
    assert_eq!(client.error("SET foo 1").await, words);
    assert_eq!(client.call("READONLY").await, Reply::ok());
    assert_eq!(client.error("GET foo").await, words);
    assert_eq!(client.call("ASKING").await, Reply::ok());
    assert_eq!(client.error("GET foo").await, words);
    // The others are still served, also in the middle of such a pipeline.
    assert_ne!(partition_of("bar"), partition);
    client.send("SET bar 1").await;
    client.send("GET foo").await;
    client.send("GET bar").await;
    let replies = [client.reply().await, client.reply().await, client.reply().await];
    assert_eq!(replies, [Reply::ok(), Reply::error(words), bulk("1")]);
    let get = rig.front.stats().command(predis_resp::CommandId::Get);
    assert_eq!((get.calls, get.rejected, get.failed), (2, 4, 0));
}

#[tokio::test]
async fn without_a_lease_nothing_on_keys_is_answered_and_the_rest_is() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(client.call("SET a 1").await, Reply::ok());
    rig.serving.lease.set(0);
    for line in ["GET a", "SET a 2", "DBSIZE", "FLUSHALL", "SCAN 0", "KEYS *", "RANDOMKEY"] {
        assert_eq!(client.error(line).await, "CLUSTERDOWN The cluster is down", "{line}");
    }
    assert_eq!(client.call("PING").await, Reply::simple("PONG"));
    assert!(client.text("CLUSTER INFO").await.starts_with("cluster_state:fail\r\n"));
    assert!(client.text("INFO").await.contains("\r\nkeyspace_hits:0\r\n"));
    rig.serving.lease.set(u64::MAX);
    assert_eq!(client.call("GET a").await, bulk("1"));
    assert!(client.text("CLUSTER INFO").await.starts_with("cluster_state:ok\r\n"));
}

#[tokio::test]
async fn slots_without_a_primary_are_not_served() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    rig.give_away(&[partition_of("foo")]).await;
    rig.agree(Action::NodeDown { node: OTHER.node, incarnation: OTHER.incarnation }).await;
    assert_eq!(client.error("GET foo").await, "CLUSTERDOWN Hash slot not served");
    assert_eq!(client.call("SET bar 1").await, Reply::ok());
    let info = client.text("CLUSTER INFO").await;
    assert!(info.starts_with("cluster_state:fail\r\ncluster_slots_assigned:15360\r\n"), "{info}");
}

#[tokio::test]
async fn a_partition_on_the_move_holds_requests_and_then_redirects_them_in_order() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let (slot, partition) = (key_slot(b"foo"), partition_of("foo"));
    rig.replicate(&[partition]).await;
    assert!(!rig.serving.shards.begin_hand_over(PartitionId(partition), OTHER.node).is_empty());
    client.send("GET foo").await;
    client.send("PING").await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(rig.front.stats().commands_processed(), 0, "PING does not overtake");
    rig.give_away(&[partition]).await;
    assert_eq!(client.reply().await, Reply::error(format!("MOVED {slot} 10.0.0.2:7002")));
    assert_eq!(client.reply().await, Reply::simple("PONG"));
}

#[tokio::test]
async fn a_move_that_takes_long_is_answered_tryagain_and_a_scan_comes_back_to_it() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let partition = partition_of("foo");
    assert!(partition > 0);
    rig.replicate(&[partition]).await;
    rig.serving.shards.begin_hand_over(PartitionId(partition), OTHER.node);
    let words = "TRYAGAIN Multiple keys request during rehashing of slot";
    assert_eq!(client.error("GET foo").await, words);
    assert_eq!(client.error("DBSIZE").await, words);
    let cursor = bulk(&(u64::from(partition) << 48).to_string());
    assert_eq!(client.call("SCAN 0").await, Reply::Array(vec![cursor, Reply::Array(vec![])]));
}
