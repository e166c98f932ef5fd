//! Nodes in this process: each has a runtime of its own, as it would have a process of its own.
//!
//! Does not know what they are for.

use crate::{
    failure::Failure,
    server::{boot_failure, profile},
};
use anyhow::{Context, anyhow};
use predis_node::{Io, Node, NodeConfig, Start, is_settled};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How often it is looked whether the cluster is up.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long the cluster may take to come up.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// How long threads may take to end once the node has stopped.
const THREADS_LIMIT: Duration = Duration::from_secs(1);

/// Where a node listens.
pub(crate) struct Ports {
    /// `host:port` for clients.
    pub(crate) listen: String,
    /// `host:port` for clients that know nothing of clusters, if there is one.
    pub(crate) proxy: Option<String>,
    /// `host:port` for members and operators.
    pub(crate) grpc: String,
    /// `host:port` for metrics and health.
    pub(crate) metrics: String,
}

/// What a node on this machine is told.
pub(crate) fn config(
    name: String,
    ports: Ports,
    memory_bytes: Option<u64>,
    max_clients: usize,
    start: Start,
) -> NodeConfig {
    NodeConfig {
        name,
        listen: ports.listen,
        grpc: ports.grpc,
        metrics: ports.metrics,
        advertise: None,
        zone: String::new(),
        region: String::new(),
        weight: 100,
        memory_bytes,
        tls: None,
        start,
        max_clients,
        timeout_s: 0,
        exposed: false,
        proxy_listen: ports.proxy,
        profile: profile(),
    }
}

/// A node and the threads it runs on.
pub(crate) struct LocalNode {
    runtime: Runtime,
    node: Node,
}

impl LocalNode {
    /// Boots a node on threads of its own, which have its name.
    pub(crate) fn boot(config: NodeConfig, io: Io) -> Result<LocalNode, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name(&config.name)
            .enable_all()
            .build()
            .context("cannot start threads")
            .map_err(Failure::failed)?;
        let node = runtime.block_on(predis_node::boot(config, io)).map_err(boot_failure)?;
        Ok(LocalNode { runtime, node })
    }

    /// The node.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Drops its threads with all that they are doing: it says goodbye to nobody and nothing of it runs on.
    pub(crate) fn kill(self) {
        self.runtime.shutdown_background();
        drop(self.node);
    }

    /// Stops as a node stops that was asked to.
    pub(crate) fn stop(self) {
        self.runtime.block_on(self.node.shutdown());
        self.runtime.shutdown_timeout(THREADS_LIMIT);
    }
}

/// Waits until every node serves and every partition is where it should be.
pub(crate) async fn settled(nodes: &[LocalNode]) -> anyhow::Result<()> {
    let missing = || {
        for LocalNode { node, .. } in nodes {
            if let Err(missing) = node.ready() {
                return Some(format!("{}: {missing}", node.addresses().resp));
            }
            let state = node.meta().published().state;
            if state.nodes().len() < nodes.len() {
                return Some("not all nodes have joined".to_owned());
            }
            if !is_settled(&state) {
                return Some("partitions are being placed".to_owned());
            }
        }
        None
    };
    let looking = async {
        while missing().is_some() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let waited = tokio::time::timeout(READY_LIMIT, looking).await;
    waited.map_err(|_| {
        anyhow!("the cluster is not up after {READY_LIMIT:?}: {}", missing().unwrap_or_default())
    })
}
