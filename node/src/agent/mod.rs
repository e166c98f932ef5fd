//! What a node does on its own account, in the background of one life (one incarnation).
//!
//! ```text
//! follow     agreed state -> topology, shards, tenants      ends the life when the state says it is over
//! lease      renewals to the leader -> Lease                ends the life when it is refused for good
//! hand_over  moves that came with a lease -> stop, drain, commit, resume or redirect
//! expiry     expired keys, a bounded number at a time
//! budget     the shards' budget, whenever the node's tunables change
//! ```

mod budget;
mod expiry;
mod follow;
mod hand_over;
mod lease;

pub use budget::budget;
pub use expiry::expire;
pub use follow::{MAX_STALENESS, MIN_IN_SYNC, apply, follow};
pub use hand_over::give_away;
pub use lease::{LeaseAgent, hold_lease, refusal_name};
