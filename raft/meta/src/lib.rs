//! ClusterState and MetaCommand: what the whole cluster agrees on; pure.
//!
//! ```text
//! proposer --MetaCommand--> replicated log --apply--> ClusterState --> Outcome | Rejected
//! ```
//! Owns the state, the commands, the rules by which a command fits or not, and the versioned encoding of both.
//! Deliberately knows nothing of consensus, clocks, sockets or storage: whatever applies the same commands in
//! the same order, on any node and in any version, comes to the same state.

mod apply;
mod audit;
mod check;
mod cluster;
mod command;
mod digest;
mod encoding;
pub mod limits;
mod member;
mod outcome;
mod partition;
mod rejected;
mod role;
mod state;
mod tenant;
mod user;
mod version;
mod worded;

pub use audit::{AuditEntry, MAX_AUDIT_ENTRIES};
pub use cluster::ClusterInfo;
pub use command::{Action, Expect, InSyncChange, MetaCommand, PlacementChange, PlacementKind};
pub use encoding::{DecodeError, NotYet, decode_command, decode_state, encode_command, encode_state};
pub use member::{Addresses, DEFAULT_WEIGHT, Member, Mode, NewMember, Status};
pub use outcome::Outcome;
pub use partition::{PartitionState, Replica};
pub use rejected::Rejected;
pub use role::RoleLease;
pub use state::ClusterState;
pub use tenant::{Ack, NewTenant, Tenant, TenantPlacement, TenantSettings};
pub use user::{NewToken, NewUser, Token, User, UserRole};
pub use version::{OLDEST_WRITTEN, VERSION};
