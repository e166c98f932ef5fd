//! Who a node is: what its data directory says, or what a cluster makes it.

use super::BootError;
use crate::{
    config::{NodeConfig, Start},
    grpc::{describe, is_refusal, join_through},
    identity::Identity,
    io::Io,
};
use predis_meta::Addresses;
use predis_proto::node::{IdentifyRequest, node_client::NodeClient};
use predis_raft::{CallError, Channels};
use predis_types::{ClusterId, NodeId};
use std::{collections::BTreeMap, time::Duration};

/// How long a joining node looks for a member that takes it in.
const JOIN_LIMIT: Duration = Duration::from_secs(60);

/// How long one member is given to answer a request to join.
const JOIN_CALL_LIMIT: Duration = Duration::from_secs(3);

/// The node's identity, before this boot is counted.
pub(super) async fn identify(
    config: &NodeConfig,
    addrs: &Addresses,
    io: &Io,
    channels: &Channels,
) -> Result<Identity, BootError> {
    match Identity::load(io.disk.as_ref())? {
        Some(identity) => known(config, identity, channels).await,
        None => new(config, addrs, io, channels).await,
    }
}

/// A node whose data directory says who it is.
async fn known(config: &NodeConfig, identity: Identity, channels: &Channels) -> Result<Identity, BootError> {
    if identity.left {
        return Err(BootError::Left { node: identity.node, cluster: identity.cluster });
    }
    match &config.start {
        Start::Resume => {}
        Start::Bootstrap(_) => {
            return Err(BootError::AlreadyMember { node: identity.node, cluster: identity.cluster });
        }
        Start::Join(seeds) => {
            for addr in seeds {
                let called = channels.call(addr, JOIN_CALL_LIMIT, |channel| async move {
                    NodeClient::new(channel).identify(IdentifyRequest {}).await
                });
                // A seed that does not answer says nothing against going on.
                if let Ok(answer) = called.await
                    && answer.cluster != identity.cluster.to_string()
                {
                    return Err(BootError::OtherCluster {
                        addr: addr.clone(),
                        theirs: answer.cluster,
                        node: identity.node,
                        ours: identity.cluster,
                    });
                }
            }
        }
    }
    Ok(identity)
}

/// A node that belongs to no cluster yet.
async fn new(
    config: &NodeConfig,
    addrs: &Addresses,
    io: &Io,
    channels: &Channels,
) -> Result<Identity, BootError> {
    match &config.start {
        Start::Resume => Err(BootError::NoCluster),
        Start::Bootstrap(founding) => {
            let word = || io.random();
            let cluster = ClusterId(u128::from(word()) << 64 | u128::from(word()));
            let hash_key = [word(), word()];
            Ok(Identity::founder(cluster, founding, hash_key))
        }
        Start::Join(seeds) => {
            let joining = join(config, addrs, seeds, channels);
            let mut last = "none was tried".to_owned();
            let joined = tokio::time::timeout(JOIN_LIMIT, joining(&mut last)).await;
            joined.unwrap_or(Err(BootError::JoinTimedOut { limit: JOIN_LIMIT, last }))
        }
    }
}

/// Asks one seed after the other until one takes the node in or refuses it.
fn join<'a>(
    config: &'a NodeConfig,
    addrs: &'a Addresses,
    seeds: &'a [String],
    channels: &'a Channels,
) -> impl AsyncFnOnce(&mut String) -> Result<Identity, BootError> + 'a {
    async move |last: &mut String| {
        let request = describe(&config.name, addrs, &config.zone, &config.region, config.weight);
        let mut pause = Duration::from_millis(50);
        loop {
            for addr in seeds {
                match join_through(channels, addr, request.clone(), JOIN_CALL_LIMIT).await {
                    Ok(reply) => {
                        let cluster = reply.cluster.parse().map_err(|_| BootError::BadAnswer {
                            addr: addr.clone(),
                            text: reply.cluster.clone(),
                        })?;
                        let peers: BTreeMap<u64, String> =
                            reply.members.into_iter().map(|peer| (peer.node_id, peer.grpc_addr)).collect();
                        let node = NodeId(reply.node_id);
                        return Ok(Identity::joined(cluster, node, peers, reply.round_trip_ms));
                    }
                    Err(CallError::Failed { status, .. }) if is_refusal(&status) => {
                        let reason = status.message().to_owned();
                        return Err(BootError::Refused { addr: addr.clone(), reason });
                    }
                    Err(error) => {
                        *last = error.to_string();
                        tracing::info!(%addr, %error, "not joined yet");
                    }
                }
            }
            // There is no event for a stranger's coming up.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}
