//! CLUSTER NODES: one line a member, in the format of Redis's cluster configuration file.
//!
//! ```text
//! id host:port@cport flags primary ping-sent pong-received epoch link-state slot-range ...
//! ```

use predis_router::{NodeInfo, Topology};
use predis_types::{Epoch, NodeId};

/// The lines; `me` is the node that is asked.
///
/// Redis's cluster bus does not exist here, but clients insist on its port: as in Redis it is the RESP port +
/// 10000, wrapped where there is no such port, and nothing listens on it. Every member is listed as a master,
/// because each partition has a primary and replicas of its own and a line has room for only one role.
pub(super) fn lines(topology: &Topology, me: NodeId) -> String {
    let mut ranges = topology.primary_ranges();
    let mut lines = String::new();
    for (id, info) in &topology.nodes {
        lines.push_str(&line(*id, info, me, epoch_of(topology, *id)));
        for (start, end) in ranges.remove(id).unwrap_or_default() {
            let range = if start == end { format!(" {start}") } else { format!(" {start}-{end}") };
            lines.push_str(&range);
        }
        lines.push('\n');
    }
    lines
}

/// The greatest epoch in which it is primary of anything.
fn epoch_of(topology: &Topology, node: NodeId) -> Epoch {
    let own = topology.owners.iter().filter(|owner| owner.primary == Some(node));
    own.map(|owner| owner.epoch).max().unwrap_or_default()
}

fn line(id: NodeId, info: &NodeInfo, me: NodeId, epoch: Epoch) -> String {
    let flags = match (id == me, info.up) {
        (true, _) => "myself,master",
        (false, true) => "master",
        (false, false) => "master,fail",
    };
    let link = if id == me || info.up { "connected" } else { "disconnected" };
    let bus = info.resp.port.wrapping_add(10_000);
    format!("{} {}@{bus} {flags} - 0 0 {epoch} {link}", id.to_cluster_hex(), info.resp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_router::{Endpoint, Owner};
    use predis_types::{ClusterId, PartitionCount};

    #[test]
    fn a_line_has_redis_s_fields() {
        let mut topology = Topology::empty(ClusterId(1), PartitionCount::new(4).unwrap());
        for (id, up) in [(1, true), (2, true), (3, false)] {
            let resp = Endpoint::new(format!("10.0.0.{id}"), 7000);
            topology.nodes.insert(NodeId(id), NodeInfo { resp, up, ..NodeInfo::default() });
        }
        let owner =
            |node: u64, epoch| Owner { primary: Some(NodeId(node)), epoch: Epoch(epoch), ..Owner::default() };
        topology.owners = vec![owner(1, 3), owner(2, 1), owner(1, 9)];
        let id = |node| NodeId(node).to_cluster_hex();
        let expected = [
            format!("{} 10.0.0.1:7000@17000 master - 0 0 9 connected 0-4095 8192-12287", id(1)),
            format!("{} 10.0.0.2:7000@17000 myself,master - 0 0 1 connected 4096-8191", id(2)),
            format!("{} 10.0.0.3:7000@17000 master,fail - 0 0 0 disconnected", id(3)),
        ];
        assert_eq!(lines(&topology, NodeId(2)).lines().collect::<Vec<_>>(), expected);
    }
}
