//! Changes of in-sync sets: who joined one with a full copy, who was dropped for falling behind.
//!
//! Proposed by the primary. A compare-and-set on epoch and set version, so that a deposed primary cannot. Changes of
//! several partitions share a command only to spare the log: none waits for another.

use super::{members::ensure_live, placement::unmoved};
use crate::{
    ClusterState, InSyncChange, Outcome, Rejected,
    limits::{MAX_PLACEMENT_CHANGES, ensure},
};
use std::collections::BTreeSet;

pub(super) fn change(state: &mut ClusterState, changes: &[InSyncChange]) -> Result<Outcome, Rejected> {
    let bounded = (1..=MAX_PLACEMENT_CHANGES).contains(&changes.len());
    ensure(bounded, "changes", changes.len(), "must be 1 to 256")?;
    let mut named = BTreeSet::new();
    for change in changes {
        ensure(named.insert(change.partition), "changes", change.partition, "must name a partition once")?;
    }
    let (mut refused, mut first) = (BTreeSet::new(), None);
    for change in changes {
        match validate(state, change) {
            Ok(()) => commit(state, change),
            Err(reason) => {
                refused.insert(change.partition);
                first.get_or_insert(reason);
            }
        }
    }
    match first {
        // A rejected command has changed nothing.
        Some(reason) if refused.len() == changes.len() => Err(reason),
        _ => Ok(Outcome::InSync { refused: refused.into_iter().collect() }),
    }
}

fn validate(state: &ClusterState, change: &InSyncChange) -> Result<(), Rejected> {
    let id = change.partition;
    let partition = unmoved(state, id, (change.epoch, change.version))?;
    let primary = partition.primary.ok_or(Rejected::NoPrimary { partition: id })?;
    if !change.in_sync.contains(&primary) {
        return Err(Rejected::NotInSync { partition: id, replica: primary });
    }
    for &replica in &change.in_sync {
        if !partition.is_seated(replica.node) {
            return Err(Rejected::NotSeated { partition: id, node: replica.node });
        }
        ensure_live(state, replica)?;
    }
    Ok(())
}

/// Makes a validated change.
fn commit(state: &mut ClusterState, change: &InSyncChange) {
    if let Some(partition) = state.partitions.get_mut(usize::from(change.partition.0))
        && partition.in_sync != change.in_sync
    {
        partition.version = partition.version.saturating_add(1);
        partition.in_sync.clone_from(&change.in_sync);
    }
}
