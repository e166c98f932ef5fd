//! What must hold, one file each.
//!
//! An invariant sees every observation in order, and may look at the world between ticks. Its first complaint
//! ends the run.

mod converged;
mod durable;
mod expiry;
mod fail_stop;
mod failovers;
mod lease_fences;
mod linearizable;
mod losses;
mod metadata_linearizable;
mod no_lost_data;
mod one_acknowledger;
mod one_lease_holder;
mod votes;

use crate::{oracle::Entry, world::World};

/// Something that must hold in every run.
pub trait Invariant {
    /// Its name, for reports.
    fn name(&self) -> &'static str;

    /// Looks at the world after a tick, before the tick's observations.
    ///
    /// # Errors
    /// What does not hold.
    fn look(&mut self, _world: &World) -> Result<(), String> {
        Ok(())
    }

    /// Sees one observation.
    ///
    /// # Errors
    /// What does not hold.
    fn observe(&mut self, _entry: &Entry) -> Result<(), String> {
        Ok(())
    }

    /// Whether the world has come to rest as this invariant wants it: asked after all faults have healed.
    ///
    /// # Errors
    /// What is still missing.
    fn settled(&self, _world: &World) -> Result<(), String> {
        Ok(())
    }

    /// Judges the run as a whole: asked once, after the world has come to rest and the last client has finished.
    ///
    /// # Errors
    /// What does not hold.
    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// All of them, fresh.
pub fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(metadata_linearizable::MetadataLinearizable::default()),
        Box::new(converged::Converged::default()),
        Box::new(fail_stop::FailStop::default()),
        Box::new(one_lease_holder::OneLeaseHolder),
        Box::new(lease_fences::NoLeaseAfterVerdict),
        Box::new(votes::VotesNeverRegress::default()),
        Box::new(no_lost_data::NoLostData::default()),
        Box::new(linearizable::Linearizable::default()),
        Box::new(durable::Durable::default()),
        Box::new(one_acknowledger::OneAcknowledger::default()),
        Box::new(expiry::Expiry::default()),
    ]
}
