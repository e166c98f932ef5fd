//! Commands about all keys, put together from the partitions' shares.

use super::rig::{Conversation, Rig, view_of};
use crate::Settings;
use predis_resp::Reply;
use predis_types::PartitionId;

/// A node that answers `PARTITION what <p> ...` for whatever it is asked, until the client goes.
async fn serve(mut node: Conversation, answer: impl Fn(&str, u16, &[&str]) -> String) {
    while let Some(heard) = node.hear().await {
        let words: Vec<&str> = heard.split(' ').collect();
        assert_eq!(words[0], "PARTITION", "{heard}");
        node.say(&answer(words[1], words[2].parse().unwrap(), &words[3..])).await;
    }
}

fn share(what: &str, partition: u16, rest: &[&str]) -> String {
    match what {
        "LEN" => format!(":{partition}\r\n"),
        "FLUSH" => "+OK\r\n".into(),
        "KEYS" => format!("*1\r\n$2\r\n{partition:02}\r\n"),
        // Two pages of one key each.
        "SCAN" if rest[0] == "0" => format!("*2\r\n$1\r\n9\r\n*1\r\n$3\r\n{partition:02}a\r\n"),
        "SCAN" => format!("*2\r\n$1\r\n0\r\n*1\r\n$3\r\n{partition:02}b\r\n"),
        _ => panic!("{what}"),
    }
}

async fn served(colocated_in: Option<u16>) -> Rig {
    let mut view = view_of(1, 1, |_| 1);
    view.colocated_in = colocated_in.map(PartitionId);
    let mut rig = Rig::with(Settings::default(), view);
    let mut node = std::mem::replace(&mut rig.nodes[0], rig.net.listen("nobody:1"));
    tokio::spawn(async move { serve(node.accept().await, share).await });
    rig
}

fn texts(reply: Reply) -> Vec<String> {
    let Reply::Array(items) = reply else { panic!("{reply:?}") };
    let text = |item| match item {
        Reply::Bulk(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    };
    items.into_iter().map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn shares_are_put_together() {
    let rig = served(None).await;
    assert_eq!(rig.call("DBSIZE").await.unwrap(), Ok(Reply::Integer((0..16).sum())));
    assert_eq!(rig.call("FLUSHALL").await.unwrap(), Ok(Reply::ok()));
    assert_eq!(rig.call("FLUSHALL NOW").await.unwrap(), Ok(Reply::error("ERR syntax error")));
    let keys = texts(rig.call("KEYS *").await.unwrap().unwrap());
    assert_eq!(keys, (0..16).map(|partition| format!("{partition:02}")).collect::<Vec<_>>());
    let together = served(Some(5)).await;
    assert_eq!(together.call("DBSIZE").await.unwrap(), Ok(Reply::Integer(5)));
}

#[tokio::test(start_paused = true)]
async fn a_scan_walks_over_all_partitions_and_ends() {
    for (colocated_in, count, expected) in [(None, 1, 32), (None, 10, 32), (Some(5), 1, 2), (Some(0), 1, 2)] {
        let rig = served(colocated_in).await;
        let (mut cursor, mut found, mut calls) = ("0".to_owned(), Vec::new(), 0);
        loop {
            let reply = rig.call(&format!("SCAN {cursor} COUNT {count}")).await.unwrap().unwrap();
            let Reply::Array(mut parts) = reply else { panic!("{reply:?}") };
            found.extend(texts(parts.pop().unwrap()));
            let Some(Reply::Bulk(next)) = parts.pop() else { panic!("no cursor") };
            cursor = String::from_utf8(next.to_vec()).unwrap();
            calls += 1;
            if cursor == "0" {
                break;
            }
            assert!(calls < 100);
        }
        assert_eq!(found.len(), expected, "{colocated_in:?}");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), expected, "nothing twice");
    }
    let rig = served(None).await;
    assert_eq!(rig.call("SCAN x").await.unwrap(), Ok(Reply::error("ERR invalid cursor")));
}

#[tokio::test(start_paused = true)]
async fn a_random_key_is_looked_for_where_there_are_keys() {
    let mut rig = Rig::with(Settings::default(), view_of(1, 1, |_| 1));
    let call = rig.call("RANDOMKEY");
    let node = rig.nodes[0].accept().await;
    tokio::spawn(serve(node, |what, partition, _| match (what, partition) {
        ("LEN", 3 | 9) => ":1\r\n".into(),
        ("LEN", _) => ":0\r\n".into(),
        // Expired meanwhile.
        ("RANDOMKEY", 3) => "_\r\n".into(),
        ("RANDOMKEY", 9) => "$1\r\nk\r\n".into(),
        other => panic!("{other:?}"),
    }));
    assert_eq!(call.await.unwrap(), Ok(Reply::bulk("k")));
}
