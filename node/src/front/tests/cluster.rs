//! CLUSTER and its subcommands, as cluster clients read them.

use super::*;
use predis_types::key_slot;

fn id(node: u64) -> Reply {
    bulk(&NodeId(node).to_cluster_hex())
}

#[tokio::test]
async fn slots_shards_and_nodes_agree_on_who_serves_what() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    rig.give_away(&[0, 1, 15]).await;
    let node = |n: u64| {
        let port = Reply::Integer(7000 + n as i64);
        Reply::Array(vec![bulk(&format!("10.0.0.{n}")), port, id(n), Reply::Array(vec![])])
    };
    let range = |start, end, n| Reply::Array(vec![Reply::Integer(start), Reply::Integer(end), node(n)]);
    let slots = client.call("CLUSTER SLOTS").await;
    assert_eq!(slots, Reply::Array(vec![range(0, 2047, 2), range(2048, 15359, 1), range(15360, 16383, 2)]));
    let nodes = client.text("CLUSTER NODES").await;
    let lines: Vec<&str> = nodes.lines().collect();
    assert!(lines[0].ends_with(" 10.0.0.1:7001@17001 myself,master - 0 0 1 connected 2048-15359"), "{nodes}");
    assert!(
        lines[1].ends_with(" 10.0.0.2:7002@17002 master - 0 0 2 connected 0-2047 15360-16383"),
        "{nodes}"
    );
    assert_eq!(client.call("CLUSTER MYID").await, id(1));
    assert!(lines[0].starts_with(&NodeId(1).to_cluster_hex()));

    client.call("HELLO 3").await;
    let Reply::Array(shards) = client.call("CLUSTER SHARDS").await else { panic!("an array") };
    let Reply::Map(second) = &shards[1] else { panic!("a map") };
    let bounds = [0, 2047, 15360, 16383].map(Reply::Integer).to_vec();
    assert_eq!(second[0], (bulk("slots"), Reply::Array(bounds)));
    let Reply::Map(fields) = &items(second[1].1.clone())[0] else { panic!("a map") };
    let expected = [
        ("id", id(2)),
        ("port", Reply::Integer(7002)),
        ("ip", bulk("10.0.0.2")),
        ("endpoint", bulk("10.0.0.2")),
        ("role", bulk("master")),
        ("replication-offset", Reply::Integer(0)),
        ("health", bulk("online")),
    ];
    assert_eq!(*fields, expected.map(|(name, value)| (bulk(name), value)));
}

#[tokio::test]
async fn members_without_slots_are_listed() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    rig.agree(Action::IssueNode { member: member(2) }).await;
    assert_eq!(items(client.call("CLUSTER SHARDS").await).len(), 2);
    assert_eq!(items(client.call("CLUSTER SLOTS").await).len(), 1);
    let nodes = client.text("CLUSTER NODES").await;
    assert!(nodes.ends_with(" 10.0.0.2:7002@17002 master,fail - 0 0 0 disconnected\n"), "{nodes}");
    let info = client.text("CLUSTER INFO").await;
    for field in ["state:ok", "slots_ok:16384", "slots_fail:0", "known_nodes:2", "size:1", "current_epoch:1"]
    {
        assert!(info.contains(&format!("cluster_{field}\r\n")), "{field} in {info}");
    }
}

#[tokio::test]
async fn keys_of_a_slot_are_counted_and_listed() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    let slot = key_slot(b"t").number();
    assert_eq!(client.call("CLUSTER KEYSLOT x{t}y").await, Reply::Integer(slot.into()));
    for n in 0..5 {
        client.call(&format!("SET {{t}}{n} 1")).await;
    }
    assert_eq!(client.call(&format!("CLUSTER COUNTKEYSINSLOT {slot}")).await, Reply::Integer(5));
    assert_eq!(items(client.call(&format!("CLUSTER GETKEYSINSLOT {slot} 3")).await).len(), 3);
    for (line, words) in [
        ("CLUSTER COUNTKEYSINSLOT 16384", "ERR Invalid slot"),
        ("CLUSTER COUNTKEYSINSLOT x", "ERR value is not an integer or out of range"),
        ("CLUSTER GETKEYSINSLOT 0 -1", "ERR Invalid slot or number of keys"),
        ("CLUSTER NONSENSE", "ERR unknown subcommand 'NONSENSE'. Try CLUSTER HELP."),
        ("CLUSTER", "ERR wrong number of arguments for 'cluster' command"),
    ] {
        assert_eq!(client.error(line).await, words);
    }
    rig.give_away(&[slot / 1024]).await;
    assert_eq!(client.call(&format!("CLUSTER COUNTKEYSINSLOT {slot}")).await, Reply::Integer(0));
    assert_eq!(client.call(&format!("CLUSTER GETKEYSINSLOT {slot} 3")).await, Reply::Array(vec![]));
}
