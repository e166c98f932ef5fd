//! A whole way: keys, a backup under writes, another cluster, every key compared.

use crate::{
    cluster::{Cluster, TENANTS, here, json, refused},
    writes::{Held, STILL, Writer, compare, compare_hot, fill, now_ms, still, until},
};
use predis_client::{Client, Expiry, SetOptions};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Flips a bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// The file that has most in it.
fn largest(directory: &Path) -> PathBuf {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

/// A backup and what must be in it.
struct Made {
    directory: String,
    still: Vec<BTreeMap<Vec<u8>, Held>>,
    /// How many rounds each tenant's writer had done when it was begun, and may have when it was finished.
    rounds: Vec<(u64, u64)>,
    /// Whether keys that expired a little later were there to the end.
    has_soon: bool,
}

/// Three tenants with keys, backed up while they are written to.
async fn make(cluster: &Cluster) -> Made {
    cluster.ctl("tenants create acme --ack quorum --memory 64mb --policy lru");
    cluster.ctl("tenants create pair --placement colocated --max-ops 1000000");
    let clients = cluster.clients().await;
    let from_ms = now_ms();
    let still: Vec<_> = (0..TENANTS.len()).map(|tenant| still(tenant, from_ms)).collect();
    let (stop, mut writers) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    let rounds: Vec<Arc<AtomicU64>> = clients.iter().map(|_| Arc::default()).collect();
    for (client, keys) in clients.iter().zip(&still) {
        fill(client, keys).await;
    }
    for (client, rounds) in clients.iter().zip(&rounds) {
        let writer = Writer { client: client.clone(), stop: stop.clone(), rounds: rounds.clone() };
        writers.spawn(writer.run());
    }
    until(&rounds, &[3; TENANTS.len()]).await;
    let soon_ms = now_ms() + 10_000;
    for client in &clients {
        let soon = SetOptions { expiry: Expiry::AtMs(soon_ms), if_exists: None };
        client.set_with("soon", "gone", soon).await.unwrap();
    }
    let begun: Vec<u64> = rounds.iter().map(|rounds| rounds.load(Relaxed)).collect();
    let directory = cluster.path("backup").display().to_string();
    let mut create = cluster.command(&format!("backup create --to {directory}"));
    let made = tokio::task::spawn_blocking(move || json(&mut create)).await.unwrap();
    let has_soon = now_ms() < soon_ms;
    // One round more may have begun.
    let ended: Vec<u64> = rounds.iter().map(|rounds| rounds.load(Relaxed) + 1).collect();
    let beyond: Vec<u64> = ended.iter().map(|rounds| rounds + 2).collect();
    until(&rounds, &beyond).await;
    stop.store(true, Relaxed);
    writers.join_all().await;
    assert_eq!((&made["partitions"], &made["tenants"]), (&16.into(), &3.into()), "{made}");
    assert!(made["paged_keys"].as_u64().unwrap() >= 3 * STILL as u64, "{made}");
    while clients[0].get("soon").await.unwrap().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Made { directory, still, rounds: begun.into_iter().zip(ended).collect(), has_soon }
}

/// What is said of a backup, and where it is refused; its cluster's id and how many keys it has.
fn inspect(cluster: &Cluster, directory: &str) -> (String, Value) {
    let shown = json(&mut here(&format!("backup show {directory}")));
    assert_eq!((&shown["format"], shown["files"].as_array().unwrap().len()), (&1.into(), 16));
    let acme = &shown["tenants"][1];
    assert_eq!((&acme["name"], &acme["ack"]), (&"acme".into(), &"quorum".into()));
    assert_eq!(shown["settings"]["min-in-sync"], "auto");
    let cut = &shown["files"][0];
    assert!(cut["epoch"].as_u64().unwrap() > 0 && cut["sequence"].as_u64().unwrap() > 0, "{cut}");
    let verified = json(&mut here(&format!("backup verify {directory}")));
    assert!(verified["keys"].as_u64().unwrap() >= 3 * STILL as u64, "{verified}");
    let said = cluster.refused(&format!("backup create --to {directory}"), 2);
    assert!(said.contains("--to") && said.contains("is not empty, it holds a backup"), "{said}");
    let said = cluster.refused(&format!("backup restore --from {directory}"), 1);
    assert!(said.contains("default has") && said.contains("give --overwrite"), "{said}");
    let audit = cluster.ctl("audit");
    let changes = audit["changes"].as_array().unwrap().iter();
    let of_role = changes.filter(|change| change["subject"].as_str().unwrap().starts_with("role backup "));
    let actions: Vec<_> = of_role.map(|change| change["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["acquire_role", "release_role"], "{audit}");
    (shown["cluster"].as_str().unwrap().to_owned(), verified["keys"].clone())
}

/// A restore over what another one left: keys that are not in the backup stay, and a damaged one changes nothing.
async fn restore_again(cluster: &Cluster, client: &Client, made: &Made) {
    let Made { directory, still, .. } = made;
    let restore = format!("backup restore --from {directory} --other-cluster");
    client.set("mine", "stays").await.unwrap();
    let key = still[0].keys().next().unwrap();
    client.set(key, "changed").await.unwrap();
    assert!(cluster.refused(&restore, 1).contains("give --overwrite"));
    let file = largest(Path::new(directory));
    flip(&file);
    for said in [
        refused(&mut here(&format!("backup verify {directory}")), 1),
        cluster.refused(&format!("{restore} --overwrite"), 1),
    ] {
        assert!(said.contains(file.to_str().unwrap()) && said.contains("fails its checksum"), "{said}");
    }
    assert_eq!(client.get(key).await.unwrap().unwrap(), "changed", "nothing is written of a damaged backup");
    flip(&file);
    cluster.ctl(&format!("{restore} --overwrite"));
    compare(client, &still[0]).await;
    assert_eq!(client.get("mine").await.unwrap().unwrap(), "stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_backed_up_under_writes_is_restored_into_a_cluster_of_another_size() {
    let first = Cluster::start(3, "16");
    let made = make(&first).await;
    let (from, keys) = inspect(&first, &made.directory);

    let second = Cluster::start(2, "64");
    let restore = format!("backup restore --from {}", made.directory);
    let said = second.refused(&restore, 1);
    let into = second.ctl("cluster status");
    assert!(said.contains(&from) && said.contains(into["cluster"].as_str().unwrap()), "{said}");
    assert!(said.contains("--other-cluster"), "{said}");
    let restored = second.ctl(&format!("{restore} --other-cluster"));
    assert_eq!(restored["tenants_created"], serde_json::json!(["acme", "pair"]), "{restored}");
    assert_eq!(restored["set"].as_u64().unwrap() + restored["expired"].as_u64().unwrap(), keys);
    assert!(!made.has_soon || restored["expired"] == TENANTS.len(), "{restored}");
    let tenants = second.ctl("tenants list");
    let acme = &tenants["tenants"][1];
    assert_eq!((&acme["ack"], &acme["policy"]), (&"quorum".into(), &"lru".into()));
    assert_eq!(acme["memory_bytes"], 64 << 20);
    let clients = second.clients().await;
    for (tenant, client) in clients.iter().enumerate() {
        compare(client, &made.still[tenant]).await;
        assert_eq!(client.get("soon").await.unwrap(), None);
        let (begun, ended) = made.rounds[tenant];
        compare_hot(client, begun, ended).await;
    }
    restore_again(&second, &clients[0], &made).await;
}
