//! Changes of an in-sync set: who joined it with a full copy, who was dropped for falling behind.
//!
//! Proposed by the primary. A compare-and-set on epoch and set version, so that a deposed primary cannot.

use super::{members::ensure_live, placement::unmoved};
use crate::{ClusterState, Outcome, Rejected, Replica};
use predis_types::{Epoch, PartitionId};
use std::collections::BTreeSet;

pub(super) fn change(
    state: &mut ClusterState,
    id: PartitionId,
    seen: (Epoch, u64),
    in_sync: &BTreeSet<Replica>,
) -> Result<Outcome, Rejected> {
    let partition = unmoved(state, id, seen)?;
    let primary = partition.primary.ok_or(Rejected::NoPrimary { partition: id })?;
    if !in_sync.contains(&primary) {
        return Err(Rejected::NotInSync { partition: id, replica: primary });
    }
    for &replica in in_sync {
        if !partition.is_seated(replica.node) {
            return Err(Rejected::NotSeated { partition: id, node: replica.node });
        }
        ensure_live(state, replica)?;
    }
    if let Some(partition) = state.partitions.get_mut(usize::from(id.0))
        && partition.in_sync != *in_sync
    {
        partition.version = partition.version.saturating_add(1);
        partition.in_sync.clone_from(in_sync);
    }
    Ok(Outcome::Done)
}
