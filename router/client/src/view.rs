//! The cluster as one client sees it: the topology, and what concerns its tenant.
//!
//! The one place where the admin API's messages become routing. Knows nothing of how they arrive.

use predis_proto::admin::{self, TopologyView};
use predis_router::{Endpoint, NodeInfo, Owner, Topology};
use predis_types::{ClusterId, Epoch, NodeId, PartitionCount, PartitionId, TenantId};

/// The topology, and what concerns the client's tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Who serves what.
    pub topology: Topology,
    /// Whose keys the client sees.
    pub tenant: TenantId,
    /// Set when all of the tenant's keys live in one partition.
    pub colocated_in: Option<PartitionId>,
    /// Whether writes are acknowledged only once they survive failures.
    pub quorum: bool,
}

impl View {
    /// The default tenant's view of a topology.
    pub fn of(topology: Topology) -> View {
        View { topology, tenant: TenantId::default(), colocated_in: None, quorum: false }
    }
}

/// A message that is no view.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} = {value}: {rule}")]
pub struct BadView {
    field: &'static str,
    value: String,
    rule: &'static str,
}

impl TryFrom<TopologyView> for View {
    type Error = BadView;

    fn try_from(message: TopologyView) -> Result<View, BadView> {
        let bad =
            |field, value: &dyn std::fmt::Display, rule| BadView { field, value: value.to_string(), rule };
        let partitions =
            u16::try_from(message.partition_count).ok().and_then(PartitionCount::new).ok_or_else(|| {
                bad("partition_count", &message.partition_count, "must be a power of two up to 16384")
            })?;
        let cluster: ClusterId = message
            .cluster
            .parse()
            .map_err(|_| bad("cluster", &message.cluster, "must be 32 hexadecimal digits"))?;
        let owners = message.owners.len();
        if owners != usize::from(partitions.get()) {
            return Err(bad("owners", &owners, "must be one a partition"));
        }
        let colocated_in = match message.colocated_in {
            None => None,
            Some(id) => match u16::try_from(id) {
                Ok(known) if known < partitions.get() => Some(PartitionId(known)),
                _ => return Err(bad("colocated_in", &id, "must be a partition")),
            },
        };
        let topology = Topology {
            version: message.version,
            cluster,
            partitions,
            nodes: message.nodes.into_iter().map(node).collect::<Result<_, _>>()?,
            owners: message.owners.into_iter().map(owner).collect(),
        };
        let tenant = TenantId(message.tenant);
        Ok(View { topology, tenant, colocated_in, quorum: message.ack == "quorum" })
    }
}

fn node(place: admin::Place) -> Result<(NodeId, NodeInfo), BadView> {
    let endpoint = |field, addr: &str| {
        parse_endpoint(addr).ok_or_else(|| BadView {
            field,
            value: addr.to_owned(),
            rule: "must be host:port",
        })
    };
    let info = NodeInfo {
        resp: endpoint("resp_addr", &place.resp_addr)?,
        grpc: endpoint("grpc_addr", &place.grpc_addr)?,
        zone: place.zone,
        region: place.region,
        up: place.up,
    };
    Ok((NodeId(place.id), info))
}

fn owner(owner: admin::Owner) -> Owner {
    Owner {
        primary: (owner.primary != 0).then_some(NodeId(owner.primary)),
        epoch: Epoch(owner.epoch),
        replicas: owner.replicas.into_iter().map(NodeId).collect(),
        others: owner.others.into_iter().map(NodeId).collect(),
    }
}

/// `host:port`, an IPv6 address with or without brackets.
pub(crate) fn parse_endpoint(addr: &str) -> Option<Endpoint> {
    let (host, port) = addr.rsplit_once(':')?;
    Some(Endpoint::new(host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok()?))
}

/// An endpoint in the form that is dialled: an IPv6 address in brackets.
pub(crate) fn dialled(endpoint: &Endpoint) -> String {
    match endpoint.host.contains(':') {
        true => format!("[{}]:{}", endpoint.host, endpoint.port),
        false => endpoint.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> TopologyView {
        let place = |id: u64| admin::Place {
            id,
            resp_addr: format!("[::{id}]:6379"),
            grpc_addr: "node:7379".into(),
            zone: "a".into(),
            region: "r".into(),
            up: id == 1,
        };
        TopologyView {
            version: 7,
            cluster: ClusterId(5).to_string(),
            partition_count: 2,
            nodes: vec![place(1), place(2)],
            owners: vec![
                admin::Owner { primary: 1, epoch: 3, replicas: vec![2], others: vec![3] },
                admin::Owner { epoch: 4, ..admin::Owner::default() },
            ],
            tenant: 9,
            colocated_in: Some(1),
            ack: "quorum".into(),
        }
    }

    #[test]
    fn a_message_becomes_a_view() {
        let view = View::try_from(message()).unwrap();
        assert_eq!((view.tenant, view.colocated_in, view.quorum), (TenantId(9), Some(PartitionId(1)), true));
        let topology = view.topology;
        assert_eq!((topology.version, topology.cluster, topology.partitions.get()), (7, ClusterId(5), 2));
        assert_eq!(topology.owners[0].primary, Some(NodeId(1)));
        assert_eq!(topology.owners[1].primary, None, "0 is nobody");
        let first = &topology.nodes[&NodeId(1)];
        assert_eq!((first.resp.host.as_str(), first.resp.port, first.up), ("::1", 6379, true));
        assert_eq!(dialled(&first.resp), "[::1]:6379");
        assert_eq!(dialled(&first.grpc), "node:7379");
    }

    #[test]
    fn nonsense_is_refused_by_field() {
        let with = |change: fn(&mut TopologyView)| {
            let mut message = message();
            change(&mut message);
            View::try_from(message).unwrap_err().field
        };
        assert_eq!(with(|view| view.partition_count = 3), "partition_count");
        assert_eq!(with(|view| view.cluster = "x".into()), "cluster");
        assert_eq!(with(|view| drop(view.owners.pop())), "owners");
        assert_eq!(with(|view| view.colocated_in = Some(2)), "colocated_in");
        assert_eq!(with(|view| view.nodes[0].resp_addr = "x".into()), "resp_addr");
    }
}
