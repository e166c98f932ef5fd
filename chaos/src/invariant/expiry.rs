//! A key with a time to live is there until then and gone afterwards, give or take what clocks may differ by.

use super::{Invariant, losses::Losses};
use crate::{
    oracle::{Entry, Observed},
    world::World,
};
use std::{collections::BTreeMap, time::Duration};

/// By how much two nodes' wall clocks may differ: so much a key may live longer or shorter.
const ALLOWED_SKEW: Duration = Duration::from_millis(500);

/// A key that was written once: its time to live began between two moments.
struct Deadline {
    started: Duration,
    acknowledged: Duration,
    ttl: Duration,
}

/// See the module.
#[derive(Default)]
pub struct Expiry {
    losses: Losses,
    keys: BTreeMap<String, Deadline>,
}

impl Expiry {
    fn read(&self, (from, to): (Duration, Duration), key: &str, there: bool) -> Result<(), String> {
        let Some(Deadline { started, acknowledged, ttl }) = self.keys.get(key) else { return Ok(()) };
        let latest = *acknowledged + *ttl + ALLOWED_SKEW;
        let earliest = (*started + *ttl).saturating_sub(ALLOWED_SKEW);
        if there && from > latest {
            return Err(format!(
                "{key} was to live for {ttl:?}, until {latest:?} at the latest; it is there at {from:?}"
            ));
        }
        if !there && to < earliest && !self.losses.explain(key, *started, to) {
            return Err(format!(
                "{key} was to live for {ttl:?}, until {earliest:?} at the least; it is gone at {to:?}"
            ));
        }
        Ok(())
    }
}

impl Invariant for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn look(&mut self, world: &World) -> Result<(), String> {
        self.losses.look(world);
        Ok(())
    }

    fn observe(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.what {
            Observed::DeadlineSet { started, key, ttl } => {
                let deadline = Deadline { started: *started, acknowledged: entry.at, ttl: *ttl };
                self.keys.insert(key.clone(), deadline);
                Ok(())
            }
            Observed::DeadlineRead { started, key, there } => self.read((*started, entry.at), key, *there),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key written from 100 to 110 ms for 1 s, looked at from one time to 10 ms later.
    fn judge(losses_ms: &[u64], looked_ms: u64, there: bool) -> Result<(), String> {
        let mut invariant = Expiry { losses: Losses::at(losses_ms), ..Expiry::default() };
        let (key, ms) = ("k".to_owned(), Duration::from_millis);
        let set = Observed::DeadlineSet { started: ms(100), key: key.clone(), ttl: ms(1_000) };
        let read = Observed::DeadlineRead { started: ms(looked_ms), key, there };
        invariant.observe(&Entry { at: ms(110), who: 1007, what: set })?;
        invariant.observe(&Entry { at: ms(looked_ms + 10), who: 1007, what: read })
    }

    #[test]
    fn within_the_skew_both_are_right() {
        for looked in [590, 1_000, 1_500, 1_610] {
            assert_eq!((judge(&[], looked, true), judge(&[], looked, false)), (Ok(()), Ok(())), "{looked}");
        }
        assert_eq!((judge(&[], 200, true), judge(&[], 2_000, false)), (Ok(()), Ok(())));
    }

    #[test]
    fn outside_of_it_one_of_them_is() {
        assert!(judge(&[], 1_611, true).unwrap_err().contains("it is there at 1.611s"));
        assert!(judge(&[], 589, false).unwrap_err().contains("it is gone at 599ms"));
        assert_eq!(judge(&[300], 400, false), Ok(()), "its partition was lost");
        assert!(judge(&[50], 400, false).is_err(), "but not since it was written");
    }
}
