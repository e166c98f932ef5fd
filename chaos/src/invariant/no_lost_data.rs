//! Under `async`: an acknowledged write may be missing only after its partition was declared lost, or was taken from
//! its primary a moment after the write ([`super::failovers`] says how long a moment is). What is gone never comes
//! back.

use super::{
    Invariant,
    failovers::{Failovers, Written},
    losses::Losses,
};
use crate::{
    oracle::{Entry, Observed},
    world::World,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// See the module.
#[derive(Default)]
pub struct NoLostData {
    losses: Losses,
    failovers: Failovers,
    keys: BTreeMap<String, Key>,
}

/// A key with one writer, whose versions grow.
#[derive(Default)]
struct Key {
    // The acknowledged writes that must not be missing, unless something explains it; ascending.
    expected: Vec<Written>,
    // Versions that must never be seen again.
    gone: BTreeSet<u64>,
}

impl NoLostData {
    fn written(&mut self, started: Duration, at: Duration, name: &str, version: u64) {
        let key = self.keys.entry(name.to_owned()).or_default();
        key.expected.push(Written { version, started, acknowledged: at });
        if let Some(partition) = self.losses.partition(name) {
            self.failovers.answered(partition, at);
        }
    }

    fn read(&mut self, at: Duration, name: &str, version: Option<u64>) -> Result<(), String> {
        let Some(partition) = self.losses.partition(name) else { return Ok(()) };
        self.failovers.answered(partition, at);
        let Some(key) = self.keys.get_mut(name) else { return Ok(()) };
        if let Some(version) = version.filter(|version| key.gone.contains(version)) {
            return Err(format!("{name} = {version} came back, it was gone"));
        }
        let kept = key.expected.partition_point(|written| Some(written.version) <= version);
        let missing = key.expected.split_off(kept);
        key.gone.extend(missing.iter().map(|written| written.version));
        // A loss leaves nothing, so it explains nothing where something is left.
        let unexplained =
            |written: &Written| version.is_some() || !self.losses.explain(name, written.started, at);
        let missing: Vec<Written> = missing.into_iter().filter(unexplained).collect();
        let lost = self.failovers.lose((partition, name), &missing, at);
        lost.map_err(|why| format!("{name} is {version:?} and no loss was declared: {why}"))?;
        match key.expected.last().filter(|written| Some(written.version) == version) {
            Some(written) => self.failovers.keep((partition, name), written),
            None => Ok(()),
        }
    }
}

impl Invariant for NoLostData {
    fn name(&self) -> &'static str {
        "no-lost-data"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        self.losses.look(world);
        self.failovers.look(world);
        Ok(())
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.what {
            Observed::KeyWritten { started, key, version } => {
                self.written(*started, entry.at, key, *version);
                Ok(())
            }
            Observed::KeyRead { key, version } => self.read(entry.at, key, *version),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use predis_types::PartitionId;

    fn seen(invariant: &mut NoLostData, at: u64, what: Observed) -> Result<(), String> {
        invariant.observe(&Entry { at: Duration::from_millis(at), who: 1000, what })
    }

    fn write(invariant: &mut NoLostData, at: u64, version: u64) {
        let started = Duration::from_millis(at - 10);
        seen(invariant, at, Observed::KeyWritten { started, key: "k".to_owned(), version }).unwrap();
    }

    fn read(version: Option<u64>) -> Observed {
        Observed::KeyRead { key: "k".to_owned(), version }
    }

    #[test]
    fn only_a_declared_loss_excuses_a_missing_key() {
        let fresh = |losses_ms: &[u64]| {
            let mut invariant = NoLostData { losses: Losses::at(losses_ms), ..NoLostData::default() };
            write(&mut invariant, 20, 5);
            invariant
        };
        let mut invariant = fresh(&[]);
        assert_eq!(seen(&mut invariant, 30, read(Some(5))), Ok(()));
        assert_eq!(seen(&mut invariant, 30, read(Some(6))), Ok(()));
        assert!(seen(&mut invariant, 30, read(Some(4))).is_err());
        assert!(seen(&mut fresh(&[]), 30, read(None)).unwrap_err().contains("no loss was declared"));
        assert!(seen(&mut fresh(&[40]), 35, read(None)).is_err(), "the loss was declared later");
        assert!(seen(&mut fresh(&[5]), 35, read(None)).is_err(), "the loss was declared before");
        let mut invariant = fresh(&[40]);
        assert_eq!(seen(&mut invariant, 50, read(None)), Ok(()));
        assert!(seen(&mut invariant, 60, read(Some(5))).unwrap_err().contains("came back"));
        write(&mut invariant, 80, 7);
        assert_eq!(seen(&mut invariant, 90, read(Some(7))), Ok(()));
    }

    #[test]
    fn a_failover_excuses_an_end_that_stays_missing() {
        let mut invariant = NoLostData { losses: Losses::at(&[]), ..NoLostData::default() };
        for (at, version) in [(100, 1), (4_000, 2), (4_100, 3)] {
            write(&mut invariant, at, version);
        }
        invariant.failovers.failed_over(PartitionId(0), Duration::from_millis(5_000));
        assert_eq!(seen(&mut invariant, 5_100, read(Some(2))), Ok(()));
        assert!(seen(&mut invariant, 5_200, read(Some(3))).unwrap_err().contains("came back"));
        write(&mut invariant, 5_300, 4);
        assert!(seen(&mut invariant, 5_400, read(Some(2))).is_err(), "there was no other failover");
        assert!(seen(&mut invariant, 5_500, read(None)).is_err(), "the first version is too old to be lost");
    }
}
