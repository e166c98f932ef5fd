//! Nodes that applied the same log hold the same state, and in the end all nodes have applied it all.

use super::Invariant;
use crate::{
    oracle::{Entry, Observed},
    world::World,
};
use predis_types::{SLOTS, probe::Event};
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Default)]
pub struct Converged {
    // Log index -> the digest after it, and whose it was.
    digests: BTreeMap<u64, (u64, u64)>,
}

impl Invariant for Converged {
    fn name(&self) -> &'static str {
        "converged"
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        let Observed::Probe(Event::Applied { index, digest }) = entry.what else { return Ok(()) };
        let (first, by) = *self.digests.entry(index).or_insert((digest, entry.who));
        if first == digest {
            return Ok(());
        }
        Err(format!("after entry {index} node {} has state {digest:x}, node {by} had {first:x}", entry.who))
    }

    fn settled(&self, world: &World) -> Result<(), String> {
        let mut indexes = BTreeSet::new();
        let mut digests = BTreeSet::new();
        let mut slots = 0;
        for host in world.hosts().values().filter(|host| !host.has_left()) {
            let node = host.node();
            let look = host.with(|running| {
                running.ready().map_err(|missing| format!("node {node}: {missing}"))?;
                let published = running.meta().published();
                if running.meta().is_joint() {
                    return Err(format!("node {node}: a change of the voters is half done"));
                }
                let serving = running.status().running().ok_or("it does not serve")?.serving.clone();
                let count = serving.shards.partition_count().get();
                let served = serving.shards.serving().len() as u32 * u32::from(SLOTS / count);
                Ok::<_, String>((published.index, published.state.digest(), served))
            });
            let (index, digest, served) = look.ok_or_else(|| format!("node {node} does not run"))??;
            indexes.insert(index);
            digests.insert(digest);
            slots += served;
        }
        if indexes.len() > 1 || digests.len() > 1 {
            return Err(format!("nodes have applied {indexes:?}, to {} states", digests.len()));
        }
        if slots != u32::from(SLOTS) {
            return Err(format!("{slots} slots are served"));
        }
        Ok(())
    }
}
