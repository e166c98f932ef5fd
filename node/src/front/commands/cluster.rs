//! CLUSTER and its subcommands but NODES; READONLY, READWRITE, ASKING.
//!
//! Told from the topology as last applied here, the same one that requests are routed by.

use super::{Request, cluster_nodes, text};
use crate::front::error::Error;
use crate::front::session::Door;
use crate::shards::{Answer, Work};
use bytes::Bytes;
use predis_resp::{CommandId, Reply, parse_integer};
use predis_router::{NodeInfo, ShardRanges, SlotRange, Topology};
use predis_types::{NodeId, SLOTS, Slot, key_slot};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn run(request: &Request<'_>) -> Result<Reply, Error> {
    ensure_cluster(request)?;
    let topology = view(request);
    match request.spec.id {
        CommandId::ClusterInfo => Ok(text(info(request, &topology))),
        CommandId::ClusterMyid => Ok(Reply::bulk(request.front.serving.node().to_cluster_hex())),
        CommandId::ClusterSlots => Ok(slots(&topology)),
        CommandId::ClusterShards => Ok(shards(&topology)),
        CommandId::ClusterNodes => Ok(text(cluster_nodes::lines(&topology, request.front.serving.node()))),
        CommandId::ClusterKeyslot => Ok(Reply::Integer(key_slot(&request.args[2]).number().into())),
        CommandId::Readonly => Ok(mode(|| request.session.set_readonly(true))),
        CommandId::Readwrite => Ok(mode(|| request.session.set_readonly(false))),
        // No slot is ever being imported, so there is nothing to allow.
        CommandId::Asking => Ok(Reply::ok()),
        _ => Err(Error::NotHere(request.spec.name)),
    }
}

/// Whoever comes by the proxy is told of no cluster.
fn ensure_cluster(request: &Request<'_>) -> Result<(), Error> {
    if request.session.door == Door::Proxy { Err(Error::NoClusterHere) } else { Ok(()) }
}

/// The cluster as the user's tenant sees it: where all of its keys are kept together, one node has every slot.
fn view(request: &Request<'_>) -> Arc<Topology> {
    let topology = request.front.serving.topology.load_full();
    let home = request.session.home();
    home.map_or(topology.clone(), |home| Arc::new(topology.seen_from(home)))
}

fn mode(set: impl FnOnce()) -> Reply {
    set();
    Reply::ok()
}

/// Whether every slot is served, as far as this node can tell: it knows of its own lease, and of the others
/// only whether they were judged dead.
pub(super) fn is_ok(request: &Request<'_>, topology: &Topology) -> bool {
    let serving = &request.front.serving;
    let owns = topology.owners.iter().any(|owner| owner.primary == Some(serving.node()));
    slots_ok(topology) == SLOTS && (serving.lease.is_valid() || !owns)
}

/// How many slots have a primary that was not judged dead.
fn slots_ok(topology: &Topology) -> u16 {
    let up = |range: &&SlotRange| topology.node(range.primary).is_some_and(|info| info.up);
    topology.slot_ranges().iter().filter(up).map(|range| range.end - range.start + 1).sum()
}

/// How many nodes are primary of anything.
pub(super) fn size(topology: &Topology) -> usize {
    topology.primary_ranges().values().filter(|ranges| !ranges.is_empty()).count()
}

fn info(request: &Request<'_>, topology: &Topology) -> String {
    let (assigned, ok) = (topology.served_slots(), slots_ok(topology));
    let me = Some(request.front.serving.node());
    let own = topology.owners.iter().filter(|owner| owner.primary == me).map(|owner| owner.epoch);
    let fields = [
        ("cluster_state", if is_ok(request, topology) { "ok" } else { "fail" }.to_owned()),
        ("cluster_slots_assigned", assigned.to_string()),
        ("cluster_slots_ok", ok.to_string()),
        ("cluster_slots_pfail", "0".to_owned()),
        ("cluster_slots_fail", (assigned - ok).to_string()),
        ("cluster_known_nodes", topology.nodes.len().to_string()),
        ("cluster_size", size(topology).to_string()),
        ("cluster_current_epoch", topology.greatest_epoch().to_string()),
        ("cluster_my_epoch", own.max().unwrap_or_default().to_string()),
    ];
    fields.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect()
}

/// The topology as cluster clients can take it: they know a node as primary or as replica, while each here is some
/// partitions' primary and other partitions' replica, and replicas answer no reads.
fn of_primaries(topology: &Topology) -> Topology {
    let mut topology = topology.clone();
    topology.owners.iter_mut().for_each(|owner| owner.replicas.clear());
    topology
}

fn slots(topology: &Topology) -> Reply {
    let topology = of_primaries(topology);
    let node = |id: NodeId| {
        let info = topology.node(id)?;
        Some(Reply::Array(vec![
            Reply::bulk(info.resp.host.clone()),
            Reply::Integer(info.resp.port.into()),
            Reply::bulk(id.to_cluster_hex()),
            Reply::Array(Vec::new()),
        ]))
    };
    let range = |range: SlotRange| {
        let mut parts = vec![Reply::Integer(range.start.into()), Reply::Integer(range.end.into())];
        parts.extend(node(range.primary));
        Reply::Array(parts)
    };
    Reply::Array(topology.slot_ranges().into_iter().map(range).collect())
}

/// Members that hold nothing are shards without slots, as in Redis.
fn shards(topology: &Topology) -> Reply {
    let topology = of_primaries(topology);
    let mut shards = topology.shards();
    let seated: BTreeSet<NodeId> = shards.iter().map(|shard| shard.primary).collect();
    let unseated = topology.nodes.keys().filter(|node| !seated.contains(*node));
    shards.extend(unseated.map(|node| ShardRanges {
        primary: *node,
        replicas: Vec::new(),
        ranges: Vec::new(),
    }));
    let shard = |shard: ShardRanges| {
        let bounds = shard.ranges.iter().flat_map(|(start, end)| [*start, *end]);
        let primary = topology.node(shard.primary).map(|info| shard_node(shard.primary, info));
        Reply::Map(vec![
            (Reply::text("slots"), Reply::Array(bounds.map(|slot| Reply::Integer(slot.into())).collect())),
            (Reply::text("nodes"), Reply::Array(primary.into_iter().collect())),
        ])
    };
    Reply::Array(shards.into_iter().map(shard).collect())
}

fn shard_node(id: NodeId, info: &NodeInfo) -> Reply {
    Reply::Map(vec![
        (Reply::text("id"), Reply::bulk(id.to_cluster_hex())),
        (Reply::text("port"), Reply::Integer(info.resp.port.into())),
        (Reply::text("ip"), Reply::bulk(info.resp.host.clone())),
        (Reply::text("endpoint"), Reply::bulk(info.resp.host.clone())),
        (Reply::text("role"), Reply::text("master")),
        // Only primaries are listed, so nobody is behind.
        (Reply::text("replication-offset"), Reply::Integer(0)),
        (Reply::text("health"), Reply::text(if info.up { "online" } else { "failed" })),
    ])
}

/// `CLUSTER COUNTKEYSINSLOT slot` and `CLUSTER GETKEYSINSLOT slot count`: of the keys that this node holds.
pub(super) async fn run_in_slot(request: &Request<'_>) -> Result<Reply, Error> {
    ensure_cluster(request)?;
    let counting = request.spec.id == CommandId::ClusterCountkeysinslot;
    let number = parse_integer(&request.args[2]).ok_or(Error::NotAnInteger)?;
    let slot = u16::try_from(number).ok().and_then(Slot::new);
    let home = request.session.home();
    let partitions = request.front.serving.shards.partition_count();
    let partition = |slot| home.unwrap_or_else(|| partitions.partition_of(slot));
    if counting {
        let slot = slot.ok_or(Error::InvalidSlot)?;
        let answer = request.ask(partition(slot), Work::CountKeysInSlot(slot)).await?;
        let Some(Answer::Count(count)) = answer else { return Ok(Reply::Integer(0)) };
        return Ok(Reply::Integer(count as i64));
    }
    let limit = parse_integer(&request.args[3]).ok_or(Error::NotAnInteger)?;
    let (Some(slot), Ok(limit)) = (slot, usize::try_from(limit)) else {
        return Err(Error::InvalidSlotOrCount);
    };
    let answer = request.ask(partition(slot), Work::KeysInSlot { slot, limit }).await?;
    let keys: Vec<Bytes> = if let Some(Answer::Keys(keys)) = answer { keys } else { Vec::new() };
    Ok(Reply::Array(keys.into_iter().map(Reply::Bulk).collect()))
}
