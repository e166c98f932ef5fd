//! A whole node over real sockets: what it founds a cluster with, and what outlives one of its lives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use predis_meta::{Action, MetaCommand, UserRole};
use predis_node::{Founding, Node, NodeConfig, Profile, Start, access::REQUIRE_AUTH, boot, system};
use predis_types::{Clock, Incarnation, NodeId, Secret, TenantId};
use std::{path::Path, time::Duration};

const LIMIT: Duration = Duration::from_secs(30);

async fn founder(directory: &Path, founding: Founding) -> Node {
    let any = || "127.0.0.1:0".to_owned();
    let config = NodeConfig {
        name: "one".to_owned(),
        listen: any(),
        grpc: any(),
        metrics: any(),
        advertise: None,
        zone: String::new(),
        region: String::new(),
        weight: 100,
        memory_bytes: Some(1 << 20),
        start: Start::Bootstrap(founding),
        max_clients: 100,
        timeout_s: 7,
        exposed: false,
        tls: None,
        proxy_listen: None,
        profile: Profile::lan(),
    };
    let node = boot(config, system::open(directory).unwrap()).await.unwrap();
    serves(&node, Incarnation(1)).await;
    node
}

/// Waits until this incarnation serves.
async fn serves(node: &Node, incarnation: Incarnation) {
    let serving =
        || node.status().running().is_some_and(|running| running.serving.identity.incarnation == incarnation);
    let waiting = async {
        while !serving() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
}

/// Waits until the shards of the life that serves may take this much.
async fn budget_is(node: &Node, bytes: Option<u64>) {
    let is = || node.status().running().is_some_and(|running| running.serving.shards.memory_bytes() == bytes);
    let waiting = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
}

#[tokio::test]
async fn a_cluster_may_begin_with_a_user_and_require_authentication() {
    let directory = tempfile::tempdir().unwrap();
    let digest = Secret::token(&[7; 32]).digest();
    let founding = Founding { admin: Some(digest.to_string()), ..Founding::default() };
    let node = founder(directory.path(), founding).await;
    let state = node.meta().published().state;
    assert_eq!(state.config().get(REQUIRE_AUTH).map(String::as_str), Some("yes"));
    let user = &state.users()["admin"];
    assert_eq!((user.tenant, user.role, user.enabled), (TenantId(0), UserRole::Admin, true));
    let [token] = user.tokens.as_slice() else { panic!("{user:?}") };
    assert_eq!((token.id.as_str(), token.expires_at_ms), ("bootstrap", None));
    assert_eq!(token.hash, digest.to_string());
    node.shutdown().await;

    let open = tempfile::tempdir().unwrap();
    let node = founder(open.path(), Founding::default()).await;
    let state = node.meta().published().state;
    assert!(state.users().is_empty() && state.config().is_empty());
    node.shutdown().await;
}

#[tokio::test]
async fn what_is_set_while_a_node_runs_outlives_its_lives() {
    let directory = tempfile::tempdir().unwrap();
    let node = founder(directory.path(), Founding::default()).await;
    let tunables = node.tunables();
    assert_eq!(
        (tunables.memory_bytes(), tunables.max_clients(), tunables.timeout_s()),
        (Some(1 << 20), 100, 7)
    );
    tunables.set_memory_bytes(Some(2 << 20));
    tunables.set_max_clients(200);
    tunables.set_timeout_s(0);
    budget_is(&node, Some(2 << 20)).await;

    let judged = Action::NodeDown { node: NodeId(1), incarnation: Incarnation(1) };
    let at_ms = system::SystemClock.wall_ms();
    let command = MetaCommand { at_ms, actor: "test".to_owned(), action: judged };
    node.meta().propose(&command, LIMIT).await.unwrap();
    serves(&node, Incarnation(2)).await;
    let running = node.status().running().unwrap();
    assert_eq!(running.serving.shards.memory_bytes(), Some(2 << 20));
    assert_eq!((running.front.max_clients(), running.serving.tunables.timeout_s()), (200, 0));
    node.tunables().set_memory_bytes(None);
    budget_is(&node, None).await;
    node.shutdown().await;
}
