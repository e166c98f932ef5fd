//! At any instant at most one node would serve a partition.
//!
//! Stronger than one per epoch: it is what a client relies on.

use super::Invariant;
use crate::world::World;
use std::collections::BTreeMap;

/// See the module.
pub struct OneLeaseHolder;

impl Invariant for OneLeaseHolder {
    fn name(&self) -> &'static str {
        "one-lease-holder"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        let mut holders = BTreeMap::new();
        for host in world.hosts().values() {
            let serving = host.with(|node| node.status().running()).flatten();
            for (partition, epoch) in serving.map(|r| r.serving.shards.serving()).unwrap_or_default() {
                if let Some((other, theirs)) = holders.insert(partition, (host.node(), epoch)) {
                    let node = host.node();
                    return Err(format!(
                        "partition {partition} is served by node {other} (epoch {theirs}) and node {node} (epoch \
                         {epoch})"
                    ));
                }
            }
        }
        Ok(())
    }
}
