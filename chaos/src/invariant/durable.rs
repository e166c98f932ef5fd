//! What was acknowledged under `quorum` is there in the end: after everything has healed, every key that was written
//! once is read, and may be absent only if its partition was declared lost.

use super::{Invariant, losses::Losses};
use crate::{
    oracle::{Entry, Observed},
    world::World,
};
use std::{collections::BTreeMap, time::Duration};

/// See the module.
#[derive(Default)]
pub struct Durable {
    losses: Losses,
    // When a key's write began, and its value.
    written: BTreeMap<String, (Duration, String)>,
}

impl Invariant for Durable {
    fn name(&self) -> &'static str {
        "durable"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        self.losses.look(world);
        Ok(())
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.what {
            Observed::LineWritten { started, key, value } => {
                self.written.insert(key.clone(), (*started, value.clone()));
                Ok(())
            }
            Observed::LineRead { key, value } => {
                let Some((started, written)) = self.written.get(key) else { return Ok(()) };
                match value {
                    Some(value) if value == written => Ok(()),
                    Some(value) => Err(format!("{key} = {value}, it was written once, as {written}")),
                    None if self.losses.explain(key, *started, entry.at) => Ok(()),
                    None => Err(format!("{key} is gone, it was acknowledged and no loss was declared")),
                }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(losses_ms: &[u64], found: Option<&str>) -> Result<(), String> {
        let mut invariant = Durable { losses: Losses::at(losses_ms), ..Durable::default() };
        let (started, key) = (Duration::from_millis(10), "k".to_owned());
        let written = Observed::LineWritten { started, key: key.clone(), value: "a".to_owned() };
        let read = Observed::LineRead { key, value: found.map(str::to_owned) };
        let mut at = 20;
        [written, read].into_iter().try_for_each(|what| {
            at += 30;
            invariant.observe(&Entry { at: Duration::from_millis(at), who: 1006, what })
        })
    }

    #[test]
    fn an_acknowledged_key_is_there_unless_it_was_declared_lost_since() {
        assert_eq!(judge(&[], Some("a")), Ok(()));
        assert!(judge(&[], None).unwrap_err().contains("no loss was declared"));
        assert_eq!(judge(&[50], None), Ok(()));
        assert!(judge(&[5], None).is_err(), "it was lost before it was written");
        assert!(judge(&[90], None).is_err(), "it was lost after it was read");
        assert!(judge(&[50], Some("b")).unwrap_err().contains("k = b"));
    }
}
