//! A node never answers for data that it lost: an acknowledged write may be missing only after its partition was
//! declared lost, and what is gone never comes back.

use super::Invariant;
use crate::{
    oracle::{Entry, Observed},
    world::World,
};
use predis_types::{PartitionCount, key_slot};
use std::{collections::BTreeMap, time::Duration};

/// See the module.
#[derive(Default)]
pub struct NoLostData {
    partitions: Option<PartitionCount>,
    // How often each partition was declared lost, by the most advanced state that any node has, over time.
    losses: BTreeMap<u16, BTreeMap<Duration, u64>>,
    keys: BTreeMap<String, Key>,
}

struct Key {
    // The version that must be there, and how often the partition had been lost when its write began.
    expected: Option<(u64, u64)>,
    // Versions up to this one must never be seen again.
    gone: u64,
}

impl NoLostData {
    fn losses(&self, key: &str, at: Duration) -> u64 {
        let Some(count) = self.partitions else { return 0 };
        let partition = count.partition_of(key_slot(key.as_bytes())).0;
        let of = self.losses.get(&partition);
        of.and_then(|losses| losses.range(..=at).next_back()).map_or(0, |(_, lost)| *lost)
    }

    fn read(&mut self, at: Duration, name: &str, version: Option<u64>) -> Result<(), String> {
        let losses = self.losses(name, at);
        let Some(key) = self.keys.get_mut(name) else { return Ok(()) };
        if let Some(version) = version.filter(|version| *version <= key.gone) {
            return Err(format!("{name} = {version} came back, all up to {} was gone", key.gone));
        }
        let Some((expected, then)) = key.expected else { return Ok(()) };
        match version {
            Some(version) if version >= expected => Ok(()),
            Some(version) => Err(format!("{name} = {version}, but {expected} was acknowledged")),
            None if losses > then => {
                *key = Key { expected: None, gone: expected };
                Ok(())
            }
            None => Err(format!("{name} is gone, {expected} was acknowledged and no loss was declared")),
        }
    }
}

impl Invariant for NoLostData {
    fn name(&self) -> &'static str {
        "no-lost-data"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        let now = world.elapsed();
        for host in world.hosts().values() {
            let Some(published) = host.with(|node| node.meta().published()) else { continue };
            self.partitions = self.partitions.or(published.state.cluster().map(|cluster| cluster.partitions));
            for (id, partition) in (0..).zip(published.state.partitions()) {
                let losses = self.losses.entry(id).or_default();
                if losses.last_key_value().map_or(0, |(_, lost)| *lost) < partition.lost {
                    losses.insert(now, partition.lost);
                }
            }
        }
        Ok(())
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.what {
            Observed::KeyWritten { started, key, version } => {
                // Just before the beginning: a loss in that very moment counts for the write.
                let then = self.losses(key, started.saturating_sub(Duration::from_millis(2)));
                let gone = self.keys.get(key).map_or(0, |key| key.gone);
                self.keys.insert(key.clone(), Key { expected: Some((*version, then)), gone });
                Ok(())
            }
            Observed::KeyRead { key, version } => {
                self.read(entry.at + Duration::from_millis(1), key, *version)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(invariant: &mut NoLostData, at: u64, what: Observed) -> Result<(), String> {
        invariant.observe(&Entry { at: Duration::from_millis(at), who: 1000, what })
    }

    fn written(version: u64) -> Observed {
        Observed::KeyWritten { started: Duration::from_millis(10), key: "k".to_owned(), version }
    }

    fn read(version: Option<u64>) -> Observed {
        Observed::KeyRead { key: "k".to_owned(), version }
    }

    #[test]
    fn only_a_declared_loss_excuses_a_missing_key() {
        let mut invariant = NoLostData { partitions: PartitionCount::new(1), ..NoLostData::default() };
        seen(&mut invariant, 20, written(5)).unwrap();
        assert_eq!(seen(&mut invariant, 30, read(Some(5))), Ok(()));
        assert_eq!(seen(&mut invariant, 30, read(Some(6))), Ok(()));
        assert!(seen(&mut invariant, 30, read(Some(4))).is_err());
        assert!(seen(&mut invariant, 30, read(None)).unwrap_err().contains("no loss"));
        invariant.losses.insert(0, BTreeMap::from([(Duration::from_millis(40), 1)]));
        assert!(seen(&mut invariant, 35, read(None)).is_err(), "the loss was declared later");
        assert_eq!(seen(&mut invariant, 50, read(None)), Ok(()));
        assert!(seen(&mut invariant, 60, read(Some(5))).unwrap_err().contains("came back"));
        seen(&mut invariant, 70, written(7)).unwrap();
        assert_eq!(seen(&mut invariant, 80, read(Some(7))), Ok(()));
    }
}
