//! A link is cut and mended again and again, too quickly for anybody to settle on either.

use super::{Fault, pair};
use crate::{fault::Episode, world::World};
use predis_types::Rng;

pub(super) const FAULT: Fault = Fault {
    name: "flap",
    lasts_ms: (60, 400),
    draw: |rng, nodes| {
        let (a, b) = pair(rng, nodes);
        // One flap: whoever wants more of them draws more.
        let whole = rng.below(2) == 0;
        let cut = move |world: &mut World| if whole { world.flap_off(a) } else { world.flap_cut(a, b) };
        let mend = move |world: &mut World| if whole { world.rejoin(a) } else { world.mend(a, b) };
        Episode { begin: Box::new(cut), end: Box::new(mend) }
    },
};

impl World {
    /// Cuts the link between two nodes for a moment.
    pub fn flap_cut(&mut self, a: u64, b: u64) {
        self.note(format!("flap {a} {b}"));
        self.partition(a, b);
    }

    /// Cuts a node off for a moment.
    pub fn flap_off(&mut self, node: u64) {
        self.note(format!("flap {node}"));
        self.isolate(node);
    }
}
