//! Whoever the cluster has agreed to be dead holds no lease any more.
//!
//! What makes it safe to give a dead node's partitions away; seen before two nodes ever serve at once.

use super::Invariant;
use crate::world::World;

/// See the module.
pub struct NoLeaseAfterVerdict;

impl Invariant for NoLeaseAfterVerdict {
    fn name(&self) -> &'static str {
        "no-lease-after-verdict"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        for holder in world.hosts().values() {
            let Some(running) = holder.with(|node| node.status().running()).flatten() else { continue };
            let (node, incarnation) = (running.serving.node(), running.serving.identity.incarnation);
            if !running.serving.lease.is_valid() {
                continue;
            }
            for witness in world.hosts().values() {
                let state = witness.with(|node| node.meta().published().state);
                let member = state.as_ref().and_then(|state| state.node(node));
                let over = member.is_some_and(|member| {
                    member.incarnation > incarnation || (member.incarnation == incarnation && !member.is_up())
                });
                if over {
                    return Err(format!(
                        "node {node} holds a lease in incarnation {incarnation}, host {} knows it to be over",
                        witness.node()
                    ));
                }
            }
        }
        Ok(())
    }
}
