//! What every room of the house names the same way: ids, slots, epochs, limits, clocks and randomness.
//!
//! Owns no behaviour beyond arithmetic on those values. Deliberately knows nothing of async runtimes, wire
//! formats or storage, so that a pure crate may depend on it without gaining a way to touch the world.

mod clock;
mod ids;
pub mod limits;
pub mod planted;
pub mod probe;
mod rng;
mod secret;
mod slot;

pub use clock::{Clock, ManualClock};
pub use ids::{ClusterId, Epoch, Incarnation, NodeId, Sequence, TenantId};
pub use rng::{Rng, SplitMix64, mix64};
pub use secret::{Secret, TokenDigest};
pub use slot::{PartitionCount, PartitionId, SLOTS, Slot, key_slot};
