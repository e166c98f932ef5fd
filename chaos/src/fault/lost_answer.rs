//! Calls between nodes are carried out and never answered.

use super::{Episode, Fault, within};
use crate::world::Odds;

pub(super) const FAULT: Fault = Fault {
    name: "lost-answer",
    lasts_ms: (500, 4_000),
    draw: |rng, _| {
        let odds = Odds { unanswered: within(rng, 5..=60), ..Odds::default() };
        Episode {
            begin: Box::new(move |world| world.set_odds(odds)),
            end: Box::new(|world| world.set_odds(Odds::default())),
        }
    },
};
