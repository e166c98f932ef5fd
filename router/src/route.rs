//! The slot that a command's keys agree on.
//!
//! Knows nothing of who serves that slot: that is `Topology::route`.

use predis_types::{PartitionCount, PartitionId, Slot, TenantId, mix64};

/// The keys of one command lie in different slots. Displays Redis's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("CROSSSLOT Keys in request don't hash to the same slot")]
pub struct CrossSlot;

/// The one slot of a command's keys, or `None` for a command without keys.
///
/// Two slots are refused even when one partition holds both, as in Redis: whether a command is allowed must
/// not depend on how many partitions a cluster happens to have.
pub fn route_keys(slots: impl IntoIterator<Item = Slot>) -> Result<Option<Slot>, CrossSlot> {
    let mut slots = slots.into_iter();
    let Some(first) = slots.next() else { return Ok(None) };
    if slots.all(|slot| slot == first) { Ok(Some(first)) } else { Err(CrossSlot) }
}

/// The one partition of a tenant whose keys are kept together, for good: the tenant's id, spread by a mixer.
pub fn colocated_partition(tenant: TenantId, partitions: PartitionCount) -> PartitionId {
    let drawn = mix64(u64::from(tenant.0)) % u64::from(partitions.get());
    PartitionId(u16::try_from(drawn).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::key_slot;

    #[test]
    fn keys_must_share_a_slot() {
        let slots = |keys: &[&str]| keys.iter().map(|k| key_slot(k.as_bytes())).collect::<Vec<_>>();
        assert_eq!(route_keys(slots(&[])), Ok(None));
        assert_eq!(route_keys(slots(&["foo"])), Ok(Some(key_slot(b"foo"))));
        assert_eq!(route_keys(slots(&["{a}1", "{a}2", "a"])), Ok(Some(key_slot(b"a"))));
        assert_eq!(route_keys(slots(&["foo", "bar"])), Err(CrossSlot));
        assert_eq!(route_keys(slots(&["foo", "foo", "bar"])), Err(CrossSlot));
    }

    #[test]
    fn tenants_kept_together_are_spread_over_the_partitions() {
        let partitions = PartitionCount::new(16).unwrap();
        let homes: Vec<u16> = (0..160).map(|id| colocated_partition(TenantId(id), partitions).0).collect();
        let most = (0..16).map(|p| homes.iter().filter(|home| **home == p).count()).max();
        assert!(homes.iter().all(|home| *home < 16) && most < Some(25), "{homes:?}");
        // Agreed on for good: another answer would lose the keys.
        assert_eq!(homes[..4], [15, 1, 14, 13]);
    }

    #[test]
    fn neighbouring_slots_of_one_partition_are_still_refused() {
        let (a, b) = (Slot::new(0).unwrap(), Slot::new(1).unwrap());
        assert_eq!(route_keys([a, b]), Err(CrossSlot));
    }
}
