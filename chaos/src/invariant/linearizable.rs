//! Keys of a tenant under `quorum` are linearizable, each by itself; a declared loss makes its partition's keys absent
//! at one moment. What the checker cannot decide counts as a failure.

use super::{Invariant, losses::Losses};
use crate::{
    checker::{Operation, Time, Verdict, check},
    oracle::{Entry, Observed},
    world::World,
};
use std::{collections::BTreeMap, time::Duration};

/// See the module.
#[derive(Default)]
pub struct Linearizable {
    losses: Losses,
    histories: BTreeMap<String, Vec<Operation>>,
}

fn time(duration: Duration) -> Time {
    duration.as_micros() as Time
}

impl Invariant for Linearizable {
    fn name(&self) -> &'static str {
        "linearizable"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        self.losses.look(world);
        Ok(())
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        if let Observed::Operation { key, operation } = &entry.what {
            self.histories.entry(key.clone()).or_default().push(operation.clone());
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        for (key, history) in &mut self.histories {
            let losses = self.losses.of(key).iter();
            history.extend(losses.map(|loss| Operation::vanished(time(loss.after), time(loss.by))));
            match check(history) {
                Verdict::Linearizable => {}
                Verdict::Violation(explanation) => {
                    return Err(format!("{key}: {}", explanation.describe(history)));
                }
                Verdict::Undecided => return Err(format!("{key}: undecided, {} operations", history.len())),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::{Input, Output};

    fn judge(losses_ms: &[u64], operations: impl IntoIterator<Item = Operation>) -> Result<(), String> {
        let mut invariant = Linearizable { losses: Losses::at(losses_ms), ..Linearizable::default() };
        for operation in operations {
            let what = Observed::Operation { key: "k".to_owned(), operation };
            invariant.observe(&Entry { at: Duration::ZERO, who: 1003, what }).unwrap();
        }
        invariant.end()
    }

    #[test]
    fn a_key_is_absent_again_only_if_that_was_declared() {
        let written = || Operation::ended(1_000, 2_000, Input::Set("a".into()), Output::Done);
        let read = |at| Operation::ended(at, at + 100, Input::Get, Output::Value(None));
        assert_eq!(judge(&[5], [written(), read(6_000)]), Ok(()));
        assert!(
            judge(&[], [written(), read(6_000)]).unwrap_err().contains("nothing explains [6000..6100] GET")
        );
        assert!(judge(&[8], [written(), read(6_000)]).unwrap_err().starts_with("k: "));
    }
}
