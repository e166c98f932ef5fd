//! Calls between nodes are carried out and never answered.

use super::{Fault, calls, within};
use crate::world::Odds;

pub(super) const FAULT: Fault = Fault {
    name: "lost-answer",
    lasts_ms: (500, 4_000),
    draw: |rng, _| calls(Odds { unanswered: within(rng, 5..=60), ..Odds::default() }),
};
