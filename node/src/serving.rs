//! What the fronts and the background tasks of one running node share.
//!
//! Everything here is either immutable, atomic, or swapped whole; nothing in a request's way takes a lock but
//! the shard's own.

use crate::{access::Access, front::Tracking, lease::Lease, shards::Shards, tunables::Tunables};
use arc_swap::ArcSwap;
use predis_meta::MetaCommand;
use predis_raft::{Agreed, Connector, MetaRaft, ProposeError};
use predis_replica::Life;
use predis_router::Topology;
use predis_types::{Clock, NodeId, Rng};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// One running node.
pub struct Serving {
    /// Who it is, in this life.
    pub identity: Life,
    /// Its name.
    pub name: String,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// When it booted, in microseconds of its monotonic clock.
    pub booted_us: u64,
    /// Its lease.
    pub lease: Arc<Lease>,
    /// Who serves what, as last applied here.
    pub topology: ArcSwap<Topology>,
    /// Its data.
    pub shards: Arc<Shards>,
    /// Who keeps copies of which keys.
    pub tracking: Arc<Tracking>,
    /// How it reaches the other members.
    pub connector: Arc<dyn Connector>,
    /// The agreed metadata.
    pub meta: MetaRaft,
    /// Who is who.
    pub access: Arc<Access>,
    /// What may change while it runs, for this node alone.
    pub tunables: Arc<Tunables>,
    /// How long one attempt at a metadata proposal may take.
    pub propose_limit: Duration,
    /// The longest round trip between members that is taken for granted.
    pub round_trip: Duration,
    /// Where clients reach it, `host:port`.
    pub resp_addr: String,
    rng: Mutex<Box<dyn Rng>>,
}

/// What a [`Serving`] is made of, besides what it starts with.
pub struct Parts {
    /// See [`Serving::identity`].
    pub identity: Life,
    /// See [`Serving::name`].
    pub name: String,
    /// See [`Serving::clock`].
    pub clock: Arc<dyn Clock>,
    /// See [`Serving::lease`].
    pub lease: Arc<Lease>,
    /// The topology to start with.
    pub topology: Topology,
    /// See [`Serving::shards`].
    pub shards: Arc<Shards>,
    /// See [`Serving::tracking`]; the shards have it as their sink.
    pub tracking: Arc<Tracking>,
    /// See [`Serving::connector`].
    pub connector: Arc<dyn Connector>,
    /// See [`Serving::meta`].
    pub meta: MetaRaft,
    /// See [`Serving::access`].
    pub access: Arc<Access>,
    /// See [`Serving::tunables`].
    pub tunables: Arc<Tunables>,
    /// See [`Serving::propose_limit`].
    pub propose_limit: Duration,
    /// See [`Serving::round_trip`].
    pub round_trip: Duration,
    /// See [`Serving::resp_addr`].
    pub resp_addr: String,
    /// Where it draws random numbers.
    pub rng: Box<dyn Rng>,
}

impl Serving {
    /// A node that starts now.
    pub fn new(parts: Parts) -> Serving {
        Serving {
            identity: parts.identity,
            name: parts.name,
            booted_us: parts.clock.mono_us(),
            clock: parts.clock,
            lease: parts.lease,
            topology: ArcSwap::from_pointee(parts.topology),
            shards: parts.shards,
            tracking: parts.tracking,
            connector: parts.connector,
            meta: parts.meta,
            access: parts.access,
            tunables: parts.tunables,
            propose_limit: parts.propose_limit,
            round_trip: parts.round_trip,
            resp_addr: parts.resp_addr,
            rng: Mutex::new(parts.rng),
        }
    }

    /// Its id.
    pub fn node(&self) -> NodeId {
        self.identity.node
    }

    /// 64 random bits.
    pub fn random(&self) -> u64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// Proposes a change of the metadata in the name of `actor`, once.
    ///
    /// # Errors
    /// As [`MetaRaft::propose`].
    pub async fn propose(&self, actor: &str, action: predis_meta::Action) -> Result<Agreed, ProposeError> {
        self.propose_within(self.propose_limit, actor, action).await
    }

    /// [`Serving::propose`] that waits for no longer than this.
    ///
    /// # Errors
    /// As [`MetaRaft::propose`].
    pub async fn propose_within(
        &self,
        limit: Duration,
        actor: &str,
        action: predis_meta::Action,
    ) -> Result<Agreed, ProposeError> {
        let command = MetaCommand { at_ms: self.clock.wall_ms(), actor: actor.to_owned(), action };
        self.meta.propose(&command, limit).await
    }
}
