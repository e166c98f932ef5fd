//! The near cache against a real node: copies spare the node, and go as soon as somebody else changes the key.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use predis_client::{Client, Command, Config, Reply};
use std::{
    process::{Child, Command as Process, Stdio},
    time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(30);

/// A node that is killed when the test fails.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody uses now.
fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Until a client reads this.
async fn until(client: &Client, key: &str, expected: Option<&str>) {
    let until = Instant::now() + LIMIT;
    loop {
        let value = client.get(key).await.unwrap();
        if value.as_deref() == expected.map(str::as_bytes) {
            return;
        }
        assert!(Instant::now() < until, "{key} is {value:?} instead of {expected:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How many commands the node has executed.
async fn executed(client: &Client) -> u64 {
    let info = client.call(&Command::new("INFO").arg("stats")).await.unwrap();
    let (Reply::Verbatim { text, .. } | Reply::Bulk(text)) = info else { panic!("{info:?}") };
    let text = String::from_utf8(text.to_vec()).unwrap();
    let count = text.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
    count.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_spare_the_node_and_go_when_others_write() {
    let root = tempfile::tempdir().unwrap();
    let (resp, grpc, metrics) = (free(), free(), free());
    let node = Process::new(env!("CARGO_BIN_EXE_predis"))
        .args(["server", "--bootstrap", "--listen", &resp, "--grpc", &grpc, "--metrics", &metrics])
        .args(["--data-dir", root.path().to_str().unwrap()])
        .env("PREDIS_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let mut node = Node(node.unwrap());
    let config = Config::new([grpc]).deadline(LIMIT);
    let near = Client::connect(config.clone().near_cache(1 << 20)).await.unwrap();
    let plain = Client::connect(config).await.unwrap();

    plain.set("k", "old").await.unwrap();
    until(&near, "k", Some("old")).await;
    let before = executed(&plain).await;
    for _ in 0..1000 {
        assert_eq!(near.get("k").await.unwrap(), Some(Bytes::from("old")));
    }
    let spent = executed(&plain).await - before;
    assert!(spent < 100, "1000 reads cost {spent} commands");

    plain.set("k", "new").await.unwrap();
    until(&near, "k", Some("new")).await;
    near.set("k", "own").await.unwrap();
    assert_eq!(near.get("k").await.unwrap(), Some(Bytes::from("own")), "what this client wrote it reads");
    plain.call(&Command::new("SET").arg("k").arg("short").arg("PX").number(300)).await.unwrap();
    until(&near, "k", Some("short")).await;
    until(&near, "k", None).await;
    plain.set("k", "again").await.unwrap();
    until(&near, "k", Some("again")).await;
    plain.call(&Command::new("FLUSHALL")).await.unwrap();
    until(&near, "k", None).await;
    assert!(node.0.try_wait().unwrap().is_none(), "the node is still there");
}
