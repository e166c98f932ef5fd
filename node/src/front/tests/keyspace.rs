//! DBSIZE, FLUSHALL, KEYS, RANDOMKEY and SCAN over all the partitions of a node.

use super::*;
use std::collections::BTreeSet;

async fn fill(client: &mut Client, keys: impl Iterator<Item = String>) {
    for key in keys {
        assert_eq!(client.call(&format!("SET {key} 1")).await, Reply::ok());
    }
}

/// One step; where to go on, and what was found.
async fn step(client: &mut Client, cursor: &str, options: &str) -> (String, Vec<String>) {
    let mut page = items(client.call(format!("SCAN {cursor} {options}").trim_end()).await);
    let keys = items(page.pop().unwrap()).iter().map(text_of).collect();
    (text_of(&page[0]), keys)
}

async fn scan_all(client: &mut Client, options: &str) -> Vec<String> {
    let (mut cursor, mut keys) = ("0".to_owned(), Vec::new());
    loop {
        let (next, found) = step(client, &cursor, options).await;
        keys.extend(found);
        if next == "0" {
            return keys;
        }
        cursor = next;
    }
}

#[tokio::test]
async fn keys_are_counted_listed_drawn_and_flushed() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    assert_eq!(
        (client.call("DBSIZE").await, client.call("RANDOMKEY").await),
        (Reply::Integer(0), Reply::Null)
    );
    fill(&mut client, (0..100).map(|n| format!("k{n}"))).await;
    assert_eq!(client.call("DBSIZE").await, Reply::Integer(100));
    assert_eq!(items(client.call("KEYS k?").await).len(), 10);
    assert_eq!(items(client.call("KEYS *").await).len(), 100);
    let mut drawn = BTreeSet::new();
    for _ in 0..500 {
        drawn.insert(client.text("RANDOMKEY").await);
    }
    assert!(drawn.len() > 60, "{} of 100 keys were ever drawn", drawn.len());
    assert_eq!(client.error("FLUSHALL NOW").await, "ERR syntax error");
    assert_eq!(client.call("FLUSHALL ASYNC").await, Reply::ok());
    assert_eq!(client.call("DBSIZE").await, Reply::Integer(0));
    fill(&mut client, (0..10).map(|n| format!("k{n}"))).await;
    assert_eq!(client.call("FLUSHDB").await, Reply::ok());
    assert_eq!(client.call("KEYS *").await, Reply::Array(vec![]));
}

#[tokio::test]
async fn a_scan_returns_every_key_once_in_pages_of_about_the_count() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    fill(&mut client, (0..1000).map(|n| format!("k{n}"))).await;
    for options in ["", "COUNT 1", "COUNT 7", "COUNT 100000", "MATCH *", "TYPE string COUNT 50"] {
        let keys = scan_all(&mut client, options).await;
        assert_eq!((keys.len(), keys.iter().collect::<BTreeSet<_>>().len()), (1000, 1000), "{options}");
    }
    let (_, page) = step(&mut client, "0", "COUNT 100").await;
    assert_eq!(page.len(), 100);
    assert_eq!(scan_all(&mut client, "MATCH k1?").await.len(), 10);
    assert_eq!(scan_all(&mut client, "TYPE hash").await.len(), 0);
}

#[tokio::test]
async fn a_scan_misses_nothing_that_stays_while_others_come_and_go() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    fill(&mut client, (0..500).map(|n| format!("stays{n}"))).await;
    let (mut cursor, mut seen, mut n) = ("0".to_owned(), BTreeSet::new(), 0);
    loop {
        let (next, found) = step(&mut client, &cursor, "COUNT 5").await;
        seen.extend(found.into_iter().filter(|key| key.starts_with("stays")));
        if next == "0" {
            break;
        }
        cursor = next;
        fill(&mut client, (n..n + 20).map(|n| format!("new{n}"))).await;
        client.call(&format!("DEL new{}", n / 2)).await;
        n += 20;
    }
    assert_eq!(seen.len(), 500);
}

#[tokio::test]
async fn cursors_are_checked_and_those_of_other_nodes_go_on_with_what_is_here() {
    let rig = Rig::new().await;
    let mut client = rig.client();
    fill(&mut client, (0..200).map(|n| format!("k{n}"))).await;
    for bad in ["x", "-1", "1.5", "18446744073709551616"] {
        assert_eq!(client.error(&format!("SCAN {bad}")).await, "ERR invalid cursor", "{bad}");
    }
    assert_eq!(client.error("SCAN 0 COUNT 0").await, "ERR syntax error");
    assert_eq!(client.error("SCAN 0 NONSENSE").await, "ERR syntax error");
    assert_eq!(step(&mut client, &u64::MAX.to_string(), "").await, ("0".to_owned(), vec![]));
    let here = |partition: u64| format!("{}", partition << 48);
    let from_third = {
        let (mut cursor, mut keys) = (here(3), BTreeSet::new());
        loop {
            let (next, found) = step(&mut client, &cursor, "COUNT 10").await;
            keys.extend(found);
            if next == "0" {
                break keys;
            }
            cursor = next;
        }
    };
    rig.give_away(&[0, 1, 2]).await;
    let left: BTreeSet<String> = scan_all(&mut client, "COUNT 10").await.into_iter().collect();
    assert_eq!(left, from_third);
    assert_eq!(client.call("DBSIZE").await, Reply::Integer(left.len() as i64));
}
