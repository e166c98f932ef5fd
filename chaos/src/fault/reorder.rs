//! Calls between nodes are held back one by one, so that later ones overtake them.

use super::{Fault, calls, within};
use crate::world::Odds;

pub(super) const FAULT: Fault = Fault {
    name: "reorder",
    lasts_ms: (500, 4_000),
    draw: |rng, _| calls(Odds { late: within(rng, 20..=300), ..Odds::default() }),
};
