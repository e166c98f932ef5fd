//! Metadata operations take effect at one moment between call and return.
//!
//! Every operation carries its place in the order: a write its log index, a read the index it is as of. So the
//! order need not be searched for; it is checked. An operation that began after another had returned must not
//! come before it, and a read must see exactly the last write before its place.

use super::Invariant;
use crate::oracle::{Entry, Observed};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// See the module.
#[derive(Default)]
pub struct MetadataLinearizable {
    // The highest index returned by an operation that had ended at this time.
    returned: BTreeMap<Duration, u64>,
    // Acknowledged writes: setting -> index -> value.
    written: BTreeMap<String, BTreeMap<u64, String>>,
    indexes: BTreeSet<u64>,
    tried: BTreeSet<(String, String)>,
    index_of: BTreeMap<String, u64>,
}

impl MetadataLinearizable {
    /// The highest index that had been returned before `started`.
    fn floor(&self, started: Duration) -> u64 {
        self.returned.range(..started).next_back().map_or(0, |(_, index)| *index)
    }

    fn returned(&mut self, at: Duration, index: u64) {
        let highest = self.returned.last_key_value().map_or(0, |(_, index)| *index).max(index);
        self.returned.insert(at, highest);
    }

    fn check_read(
        &self,
        started: Duration,
        index: u64,
        values: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let floor = self.floor(started);
        if index < floor {
            return Err(format!("a read as of {index} began after {floor} had been returned"));
        }
        for (key, value) in values {
            if !self.tried.contains(&(key.clone(), value.clone())) {
                return Err(format!("{key} = {value} was never written"));
            }
            if let Some(written) = self.index_of.get(value).filter(|written| **written > index) {
                return Err(format!("a read as of {index} has {key} = {value}, written at {written}"));
            }
        }
        for (key, writes) in &self.written {
            let Some((last, expected)) = writes.range(..=index).next_back() else { continue };
            let Some(value) = values.get(key) else {
                return Err(format!("a read as of {index} misses {key}, written at {last}"));
            };
            // A write whose outcome its caller never learned may lie in between.
            let stale = self.index_of.get(value).is_some_and(|found| found < last);
            if value != expected && stale {
                return Err(format!("a read as of {index} has {key} = {value}, overwritten at {last}"));
            }
        }
        Ok(())
    }
}

impl Invariant for MetadataLinearizable {
    fn name(&self) -> &'static str {
        "metadata-linearizable"
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.what {
            Observed::MetaTried { key, value } => {
                self.tried.insert((key.clone(), value.clone()));
                Ok(())
            }
            Observed::MetaWritten { started, key, value, index } => {
                let floor = self.floor(*started);
                if *index <= floor {
                    return Err(format!("a write at {index} began after {floor} had been returned"));
                }
                if !self.indexes.insert(*index) {
                    return Err(format!("two writes were acknowledged at {index}"));
                }
                self.written.entry(key.clone()).or_default().insert(*index, value.clone());
                self.index_of.insert(value.clone(), *index);
                self.returned(entry.at, *index);
                Ok(())
            }
            Observed::MetaRead { started, index, values } => {
                self.check_read(*started, *index, values)?;
                self.returned(entry.at, *index);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64, what: Observed) -> Entry {
        Entry { at: Duration::from_millis(at), who: 1, what }
    }

    fn write(started: u64, at: u64, value: &str, index: u64) -> [Entry; 2] {
        let (key, value) = ("k".to_owned(), value.to_owned());
        let tried = Observed::MetaTried { key: key.clone(), value: value.clone() };
        let started = Duration::from_millis(started);
        [entry(at, tried), entry(at, Observed::MetaWritten { started, key, value, index })]
    }

    fn read(started: u64, at: u64, value: &str, index: u64) -> Entry {
        let values = BTreeMap::from([("k".to_owned(), value.to_owned())]);
        entry(at, Observed::MetaRead { started: Duration::from_millis(started), index, values })
    }

    fn judge(entries: impl IntoIterator<Item = Entry>) -> Result<(), String> {
        let mut invariant = MetadataLinearizable::default();
        entries.into_iter().try_for_each(|entry| invariant.observe(&entry))
    }

    #[test]
    fn accepts_what_one_copy_could_have_answered() {
        let history = [write(0, 1, "a", 1), write(0, 2, "b", 2)];
        let reads = [read(0, 3, "a", 1), read(3, 4, "b", 3)];
        assert_eq!(judge(history.into_iter().flatten().chain(reads)), Ok(()));
    }

    #[test]
    fn refuses_stale_lost_and_doubled() {
        let two = || [write(0, 1, "a", 1), write(2, 3, "b", 2)].into_iter().flatten();
        assert!(judge(two().chain([read(4, 5, "a", 1)])).unwrap_err().contains("began after 2"));
        assert!(judge(two().chain([read(4, 5, "a", 2)])).unwrap_err().contains("overwritten at 2"));
        assert!(judge(two().chain([read(4, 5, "c", 2)])).unwrap_err().contains("never written"));
        assert!(judge(two().chain([read(0, 5, "b", 1)])).unwrap_err().contains("written at 2"));
        assert!(judge(two().chain(write(1, 5, "c", 2))).unwrap_err().contains("two writes"));
        assert!(judge(two().chain(write(4, 5, "c", 1))).unwrap_err().contains("began after 2"));
    }
}
