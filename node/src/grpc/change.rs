//! How the admin API reads and changes what the cluster agrees on.
//!
//! ```text
//! read through a majority -> is the caller still somebody -> decide -> try on a copy -> propose
//!        ^-------------------- what was read had moved on ----------------------------'
//! ```
//! What a change wants is for the service that asks for it.

use super::{Shared, codes, guard::Permit, lockout};
use predis_meta::{Action, ClusterState, MetaCommand, Outcome};
use predis_raft::{ProposeError, Published};
use std::sync::Arc;
use tokio::sync::Mutex;
use tonic::Status;

/// How often a change is decided anew because the metadata changed under it.
const ATTEMPTS: usize = 5;

/// The part of a node that operators change the cluster through; clones share it.
#[derive(Clone)]
pub(super) struct Admin {
    pub(super) shared: Shared,
    /// Held while a change is decided and proposed.
    changing: Arc<Mutex<()>>,
}

impl Admin {
    pub(super) fn new(shared: Shared) -> Admin {
        Admin { shared, changing: Arc::default() }
    }

    /// The state as of now, for a caller that is still somebody by it.
    pub(super) async fn read_for(&self, permit: &Permit) -> Result<Published, Status> {
        let published =
            self.shared.meta.read(self.shared.limit).await.map_err(|error| codes::status(&error))?;
        self.shared.access.update(&published);
        permit.renewed(&self.shared.access)?;
        if published.state.cluster().is_none() {
            return Err(Status::unavailable("the cluster is being founded"));
        }
        Ok(published)
    }

    /// Has the cluster agree on what `decide` makes of the state as of now and the time in milliseconds; `None`
    /// when all is as wanted.
    ///
    /// Changes that are asked for here are made one after the other. The metadata has no version of a tenant's
    /// settings or of a user to compare with, so another member may slip one in between the reading and the
    /// proposing.
    pub(super) async fn change(
        &self,
        permit: &Permit,
        decide: impl Fn(&ClusterState, u64) -> Result<Option<Action>, Status>,
    ) -> Result<Outcome, Status> {
        let _alone = self.changing.lock().await;
        let mut last = Status::aborted("the metadata keeps changing");
        for _ in 0..ATTEMPTS {
            let read = self.read_for(permit).await?;
            let at_ms = self.shared.clock.wall_ms();
            let Some(action) = decide(&read.state, at_ms)? else { return Ok(Outcome::Done) };
            let command = MetaCommand { at_ms, actor: permit.actor(), action };
            // Tried on a copy first: what the metadata would refuse need not be written to the log.
            let mut copy = ClusterState::clone(&read.state);
            copy.apply(read.index + 1, &command).map_err(|rejected| codes::refused(&rejected))?;
            lockout::check(&read.state, &copy, at_ms, self.shared.access.insists())?;
            match self.shared.meta.propose(&command, self.shared.limit).await {
                Ok(agreed) => {
                    self.shared.access.update(&self.shared.meta.published());
                    return Ok(agreed.outcome);
                }
                Err(ProposeError::Rejected(rejected)) if rejected.may_retry() => {
                    last = codes::refused(&rejected);
                }
                Err(error) => return Err(codes::status(&error)),
            }
        }
        Err(last)
    }
}
