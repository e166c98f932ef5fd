//! Who may serve a partition, and how its copies are kept equal: leases, incarnations, epochs, hand-over and
//! replication, as sans-io state machines.
//!
//! ```text
//! node:   Holder  --renewal(seq)-->  Grantor :leader        every call is given the local monotonic time
//!           |     <--grant(seq)----     |
//!         valid(now)                 overdue(now) -> the leader commits a new epoch elsewhere
//!           v
//! access(who, owner, lease, hand-over) -> Serve | Moved | ClusterDown | Wait | TryAgain
//! ```
//! Messages and time come in as arguments, what to do goes out as values. Deliberately knows no sockets, no
//! Raft library, no clock and no stored data. Time is monotonic microseconds of the clock of the machine that
//! makes the call; times of two machines are never compared.

mod hand_over;
mod lease;
mod partition;
mod stream;

pub use hand_over::{Ask, AskOutcome, Effect, HandOver, HandOverConfig, Hold, Phase};
pub use lease::{Answer, Grant, Grantor, Holder, LeaseConfig, Refusal, Renewal, Standing, Ticket};
pub use partition::{
    Access, CopyStep, Held, Life, Local, Ownership, Reading, Role, access, copy_step, may_reply, reading,
};
pub use stream::{
    Ack, Cursor, Entry, Follow, Freshness, Lead, Members, PageHead, Part, Received, SetChange, StreamConfig,
};
