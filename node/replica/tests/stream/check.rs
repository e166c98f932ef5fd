//! What must hold in every state.

use super::node::{Change, Copy, Data, apply_to};
use super::world::World;
use predis_replica::Life;

impl World {
    /// What is wrong with this state, if anything.
    pub fn broken(&self) -> Option<String> {
        let found = self.fault.map(str::to_owned).or_else(|| self.lost_or_diverged());
        found.or_else(|| self.unequal()).or_else(|| self.returned())
    }

    /// The copy of a life, if it is one of this generation.
    fn copy_of(&self, life: Life) -> Option<&Copy> {
        let node = self.nodes.iter().find(|node| node.life == life)?;
        node.copy.as_ref().filter(|copy| copy.lost == self.state().lost && copy.is_whole())
    }

    /// Whoever is in sync has what was acknowledged, and what anybody in sync takes for committed.
    fn lost_or_diverged(&self) -> Option<String> {
        let in_sync = &self.state().in_sync;
        for &life in in_sync {
            let all = self.copy_of(life).map_or_else(Vec::new, |copy| copy.everything(life));
            if !all.starts_with(&self.acknowledged) {
                return Some(format!("node {} is in sync without what was acknowledged", life.node));
            }
            for &other in in_sync {
                let settled = self.copy_of(other).map_or(&[][..], Copy::settled);
                if !all.starts_with(settled) {
                    return Some(format!("node {} lacks what node {} applied", life.node, other.node));
                }
            }
        }
        None
    }

    /// A whole copy is what its history says, which is the beginning of its primary's.
    fn unequal(&self) -> Option<String> {
        let copies = || self.nodes.iter().filter_map(|node| node.copy.as_ref());
        for copy in copies().filter(|copy| copy.is_whole()) {
            if copy.data != made_by(&copy.history) {
                return Some("data is not what its history makes".into());
            }
            let Some(follow) = copy.following() else { continue };
            if copy.history.len() as u64 != follow.applied().0 {
                return Some("more or less is applied than was counted".into());
            }
            let lead = copies().find(|lead| lead.lead().is_some() && lead.epoch() == copy.epoch());
            if lead.is_some_and(|lead| !lead.history.starts_with(&copy.history)) {
                return Some("a replica has what its primary has not".into());
            }
        }
        None
    }

    /// Nothing of before the partition was lost is in a copy of after.
    fn returned(&self) -> Option<String> {
        for node in &self.nodes {
            let Some(copy) = &node.copy else { continue };
            let all = copy.everything(node.life);
            let recovered = self.state().recovered.contains(&copy.lost);
            let belongs =
                |change: &Change| change.lost == copy.lost || recovered && change.lost + 1 == copy.lost;
            if copy.is_whole() && !all.iter().all(belongs) {
                return Some("what was lost comes back".into());
            }
        }
        None
    }
}

fn made_by(history: &[Change]) -> Data {
    let mut data = Data::new();
    history.iter().for_each(|&change| apply_to(&mut data, change));
    data
}
