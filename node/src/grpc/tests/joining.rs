//! Who is let in as a member.

use super::Rig;
use crate::grpc::{describe, membership::Membership};
use predis_meta::{Addresses, VERSION};
use predis_proto::node::{JoinRequest, node_server::Node};
use predis_types::NodeId;
use tonic::{Code, Request, Status};

impl Rig {
    async fn asks_to_join(&self, name: &str, metadata_version: u32) -> Result<NodeId, Status> {
        let at = |kind: &str| format!("{name}:{kind}");
        let addrs = Addresses { resp: at("1"), grpc: at("2"), metrics: at("3") };
        let request = JoinRequest { metadata_version, ..describe(name, &addrs, "", "", 100) };
        let reply = Membership(self.shared.clone()).join(Request::new(request)).await?;
        Ok(NodeId(reply.into_inner().node_id))
    }
}

#[tokio::test]
async fn whoever_reads_less_than_the_cluster_writes_is_refused() {
    let rig = Rig::new().await;
    let refused = rig.asks_to_join("old", VERSION - 1).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let words = "the cluster's metadata is of version 4, the node understands 3: upgrade the node";
    assert_eq!(refused.message(), words);
    assert_eq!(rig.state().nodes().len(), 1, "nothing was agreed on");
}

#[tokio::test]
async fn whoever_reads_more_is_let_in_and_the_level_stays() {
    for level in [VERSION - 1, VERSION] {
        let rig = Rig::at(level).await;
        for (name, version) in [("same", level), ("newer", level + 1)] {
            let node = rig.asks_to_join(name, version).await.unwrap();
            assert_eq!(rig.asks_to_join(name, version).await.unwrap(), node, "asking again gets the same id");
            assert_eq!(rig.state().node(node).unwrap().metadata_version, version);
        }
        assert_eq!(rig.state().level(), level);
    }
}
