//! Calls between nodes are held back one by one, so that later ones overtake them.

use super::{Episode, Fault, within};
use crate::world::Odds;

pub(super) const FAULT: Fault = Fault {
    name: "reorder",
    lasts_ms: (500, 4_000),
    draw: |rng, _| {
        let odds = Odds { late: within(rng, 20..=300), ..Odds::default() };
        Episode {
            begin: Box::new(move |world| world.set_odds(odds)),
            end: Box::new(|world| world.set_odds(Odds::default())),
        }
    },
};
