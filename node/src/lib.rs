//! Boot, RESP and gRPC fronts, and the way they meet the shards.
//!
//! ```text
//! clients --RESP--> front --submit--> shards (one lock a partition) --effects--> (replication)
//!                     |  topology, lease: read per command
//! members --gRPC--> grpc --> MetaRaft --watch--> agents: topology, shard lifecycle, lease
//!                     |                          supervisor: judging, placement, voters (leader only)
//! scrapers --HTTP--> http
//! ```
//! [`boot`] is the only way a node comes up, in production, in tests and in the simulator; they differ in the
//! [`Io`] that they pass.

pub mod access;
mod agent;
mod boot;
pub mod config;
pub mod front;
mod grpc;
mod http;
mod identity;
mod io;
mod lease;
mod life;
mod metrics;
mod node;
mod regions;
mod replication;
mod serving;
pub mod shards;
mod supervisor;
pub mod system;
pub mod tls;
mod topology;
mod tunables;

pub use boot::{BootError, boot};
pub use config::{Founding, NodeConfig, Profile, Start};
pub use identity::FILE as IDENTITY_FILE;
pub use io::{Binder, Incoming, Io, Listener, Peer};
pub use lease::Lease;
pub use node::{Ending, Node, Running, Status};
pub use serving::{Parts, Serving};
pub use supervisor::is_settled;
pub use tunables::Tunables;
