//! Which node serves which slot, as CLUSTER SLOTS says. Does not know connections.

use super::{Wire, WireError};
use predis_resp::Reply;
use predis_types::{SLOTS, Slot};

/// In the map: nobody serves the slot.
const NOBODY: u16 = u16::MAX;

/// The primaries of a cluster and their slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SlotMap {
    nodes: Vec<String>,
    of_slot: Vec<u16>,
}

impl SlotMap {
    /// One node that serves every slot, or is no cluster at all.
    pub(crate) fn single(addr: &str) -> SlotMap {
        SlotMap { nodes: vec![addr.to_owned()], of_slot: vec![0; usize::from(SLOTS)] }
    }

    /// Asks a node of a cluster.
    pub(crate) async fn ask(wire: &mut Wire) -> Result<SlotMap, WireError> {
        let reply = wire.demand("CLUSTER SLOTS", &[b"CLUSTER", b"SLOTS"]).await?;
        let addr = wire.addr().to_owned();
        SlotMap::read(&reply, host_of(&addr)).ok_or(WireError::Unexpected { addr, what: "CLUSTER SLOTS" })
    }

    /// From the reply to CLUSTER SLOTS. A node that does not know its own host is at the one that was asked.
    fn read(reply: &Reply, asked: &str) -> Option<SlotMap> {
        let Reply::Array(ranges) = reply else { return None };
        let mut map = SlotMap { nodes: Vec::new(), of_slot: vec![NOBODY; usize::from(SLOTS)] };
        for range in ranges {
            let Reply::Array(parts) = range else { return None };
            let [Reply::Integer(first), Reply::Integer(last), Reply::Array(primary), ..] = parts.as_slice()
            else {
                return None;
            };
            let [host, Reply::Integer(port), ..] = primary.as_slice() else { return None };
            let host = match host {
                Reply::Bulk(bytes) if !bytes.is_empty() => std::str::from_utf8(bytes).ok()?,
                Reply::Bulk(_) | Reply::Null => asked,
                _ => return None,
            };
            let slots = usize::try_from(*first).ok()?..=usize::try_from(*last).ok()?;
            let node = map.node(&format!("{}:{port}", bracketed(host)))?;
            map.of_slot.get_mut(slots)?.fill(node);
        }
        Some(map)
    }

    /// The index of a node, which is added when it is new.
    fn node(&mut self, addr: &str) -> Option<u16> {
        let known = self.nodes.iter().position(|node| node == addr);
        let index = known.unwrap_or_else(|| {
            self.nodes.push(addr.to_owned());
            self.nodes.len() - 1
        });
        u16::try_from(index).ok().filter(|index| *index != NOBODY)
    }

    /// The nodes, in the order in which they were named.
    pub(crate) fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The index of the node that serves a slot.
    pub(crate) fn node_of(&self, slot: Slot) -> Option<usize> {
        let node = self.of_slot.get(usize::from(slot.number())).copied().unwrap_or(NOBODY);
        (node != NOBODY).then_some(usize::from(node))
    }

    /// How many slots nobody serves.
    pub(crate) fn unserved(&self) -> usize {
        self.of_slot.iter().filter(|node| **node == NOBODY).count()
    }
}

/// The host of `host:port`, an IPv6 address without its brackets.
fn host_of(addr: &str) -> &str {
    let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: i64, last: i64, host: Reply, port: i64) -> Reply {
        let node = Reply::Array(vec![host, Reply::Integer(port), Reply::text("id")]);
        Reply::Array(vec![Reply::Integer(first), Reply::Integer(last), node.clone(), node])
    }

    fn slot(number: u16) -> Slot {
        Slot::new(number).unwrap()
    }

    #[test]
    fn slots_go_to_the_primary_that_is_named_first() {
        let reply = Reply::Array(vec![
            range(0, 99, Reply::text("10.0.0.1"), 7001),
            range(100, 100, Reply::text("::1"), 7002),
            range(101, 16_382, Reply::text("10.0.0.1"), 7001),
        ]);
        let map = SlotMap::read(&reply, "asked").unwrap();
        assert_eq!(map.nodes(), ["10.0.0.1:7001", "[::1]:7002"]);
        let nodes: Vec<_> = [0, 99, 100, 101, 16_383].map(|number| map.node_of(slot(number))).into();
        assert_eq!(nodes, [Some(0), Some(0), Some(1), Some(0), None]);
        assert_eq!(map.unserved(), 1);
    }

    #[test]
    fn a_node_without_a_host_is_where_it_was_asked() {
        for host in [Reply::text(""), Reply::Null] {
            let map = SlotMap::read(&Reply::Array(vec![range(0, 16_383, host, 1)]), host_of("[::1]:6379"));
            assert_eq!(map.unwrap().nodes(), ["[::1]:1"]);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let far = range(0, 16_384, Reply::text("a"), 1);
        let backwards = range(6, 4, Reply::text("a"), 1);
        for wrong in [Reply::ok(), Reply::Array(vec![Reply::ok()]), Reply::Array(vec![far, backwards])] {
            assert_eq!(SlotMap::read(&wrong, "a"), None);
        }
        assert_eq!(SlotMap::single("a:1").node_of(slot(16_383)), Some(0));
    }
}
