//! What stops a backup and what does not; what cannot be read or written; what is no backup.

use crate::{
    cluster::{Cluster, here, json, refused},
    process::LIMIT,
};
use bytes::Bytes;
use predis_client::{AdminChannel, Client, Config, connect_admin};
use predis_proto::admin::{
    BackupKey, BeginBackupRequest, EndBackupRequest, ReadBackupRequest, WriteBackupRequest,
    backup_client::BackupClient,
};
use serde_json::Value;
use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_interrupted_and_another_goes_on_when_a_node_dies() {
    const KEYS: u64 = 3000;
    let mut cluster = Cluster::start(3, "64");
    let client =
        Client::connect(Config::new(cluster.nodes.iter().map(|node| node.grpc.clone())).deadline(LIMIT))
            .await;
    let (client, value) = (client.unwrap(), vec![7; 4096]);
    for key in 0..KEYS {
        client.set(key.to_string(), &value).await.unwrap();
    }
    let until = Instant::now() + LIMIT;
    let in_sync = |partition: &Value| partition["in_sync"].as_array().unwrap().len() == 2;
    while !cluster.ctl("partitions")["partitions"].as_array().unwrap().iter().all(in_sync) {
        assert!(Instant::now() < until, "copies are not made");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let directory = cluster.path("backup");
    let begin = || {
        let mut create = cluster.command(&format!("backup create --to {}", directory.display()));
        let mut making = create.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while fs::read_dir(&directory).map_or(0, |files| files.count()) < 2 {
            assert!(Instant::now() < until && making.try_wait().unwrap().is_none(), "it has not begun");
        }
        making
    };
    // Whoever is interrupted leaves nothing, and gives the right back.
    let making = begin();
    assert!(Command::new("kill").args(["-INT", &making.id().to_string()]).status().unwrap().success());
    let out = making.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(1) && said.contains("SIGINT: nothing is left of the backup"), "{said}");
    assert!(!directory.exists());
    let mut making = begin();
    // The one that leads, so that nobody can say who is a primary for a while. The last node is asked.
    drop(cluster.nodes.remove(0));
    assert!(making.wait().unwrap().success());
    let verified = json(&mut here(&format!("backup verify {}", directory.display())));
    assert_eq!(verified["keys"], KEYS);
}

/// The service of each node, in the order of their ids.
async fn services(cluster: &Cluster) -> Vec<BackupClient<AdminChannel>> {
    let mut services = Vec::new();
    for node in &cluster.nodes {
        services.push(BackupClient::new(connect_admin(&node.grpc, None, None, LIMIT).await.unwrap()));
    }
    services
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_or_written_is_refused_with_words() {
    let cluster = Cluster::start(2, "2");
    cluster.ctl("tenants create small --memory 10kb");
    let mut nodes = services(&cluster).await;
    let primary = cluster.ctl("partitions")["partitions"][0]["primary"].as_u64().unwrap();
    let (right, wrong) = (primary as usize - 1, 2 - primary as usize);
    let begin = |restore| BeginBackupRequest { restore, token: 0 };
    let token = nodes[0].begin(begin(false)).await.unwrap().into_inner().token;
    let until = Instant::now() + LIMIT;
    let refused = loop {
        let refused = nodes[wrong].read(ReadBackupRequest { partition: 0, token }).await.err().unwrap();
        // The other node hears of the token a moment later.
        if !refused.message().contains("token") {
            break refused;
        }
        assert!(Instant::now() < until, "{refused}");
    };
    let addr = &cluster.nodes[right].grpc;
    let words = format!("partition 0: node {primary} at {addr} is its primary, not node {}", wrong + 1);
    assert_eq!((refused.code(), refused.message()), (tonic::Code::Aborted, words.as_str()));
    let refused = nodes[right].read(ReadBackupRequest { partition: 2, token }).await.err().unwrap();
    let words = "partition 2: there is no such partition: the cluster has 2";
    assert_eq!((refused.code(), refused.message()), (tonic::Code::InvalidArgument, words));
    let end = EndBackupRequest { restore: false, token };
    nodes[0].end(end).await.unwrap();

    // `bar` is of slot 5061: the first half.
    let token = nodes[0].begin(begin(true)).await.unwrap().into_inner().token;
    let key = |key: &str, bytes: usize| BackupKey {
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: vec![1; bytes].into(),
        expire_at_ms: None,
    };
    for (partition, tenant, keys, words) in [
        (1, 0, vec![key("bar", 1)], "keys: must be of partition 1, one is of 0"),
        (0, 0, vec![key("bar", 1); 1025], "keys: must be at most 1024, got 1025"),
        (0, 1, vec![key("bar", 20_000)], "a key is larger than all that tenant small may have on node"),
        (0, 9, vec![key("bar", 1)], "there is no tenant 9, by what this node knows"),
    ] {
        let request = WriteBackupRequest { partition, token, tenant, keys };
        let refused = loop {
            let refused = nodes[right].write(request.clone()).await.unwrap_err();
            if !refused.message().contains("token") {
                break refused;
            }
            assert!(Instant::now() < until, "{refused}");
        };
        assert!(refused.message().contains(words), "{refused}");
    }
    let keys = vec![key("bar", 5)];
    let request = WriteBackupRequest { partition: 0, token, tenant: 0, keys };
    assert_eq!(nodes[right].write(request).await.unwrap().into_inner().set, 1);
    assert!(cluster.nodes[right].command("STRLEN bar").starts_with(":5"));
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display();
    for command in ["verify", "show"] {
        let said = refused(&mut here(&format!("backup {command} {path}")), 2);
        assert!(said.contains("is not a backup: it has no index.json"), "{said}");
    }
    fs::write(directory.path().join("index.json"), "{\"format\": 9}").unwrap();
    let said = refused(&mut here(&format!("backup show {path}")), 1);
    assert!(said.contains("index.json is of format 9, and this program reads up to 1"), "{said}");
}
