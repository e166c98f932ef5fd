//! Who is who on this node: users and their tokens, tenants and their quotas, and what was refused.
//!
//! ```text
//! agreed state --update--> Directory (users, tenants) <--authenticate, still_valid-- RESP and gRPC fronts
//! refusals of every front --> RefusalLog --> ACL LOG, the admin API
//! ```
//! One for the whole node, whatever its lives. Before the first state is known nobody is anybody. Knows no protocol.

mod directory;
mod identity;
mod refusals;
mod tenant;
#[cfg(test)]
pub(crate) mod tests;

pub use directory::is_required;
pub use identity::{Identity, WrongPass};
pub use refusals::{Entry, Reason, Refusal};
pub use tenant::{Gate, OverQuota, Seat};

use arc_swap::ArcSwap;
use directory::Directory;
use predis_meta::ClusterState;
use predis_raft::Published;
use predis_types::{Clock, TenantId, TokenDigest};
use refusals::RefusalLog;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The dynamic setting that says whether clients must authenticate: `yes` or `no`, which is the default.
pub const REQUIRE_AUTH: &str = "require-auth";

/// The name of whoever need not authenticate, as in Redis; no user may have it.
pub const DEFAULT_USER: &str = "default";

/// Who is who.
pub struct Access {
    clock: Arc<dyn Clock>,
    directory: ArcSwap<Directory>,
    updating: Mutex<()>,
    refusals: Mutex<RefusalLog>,
    /// Whether everybody must authenticate here, whatever the cluster agrees on.
    insists: bool,
}

impl Access {
    /// Nobody is known yet, and whoever comes must authenticate; on a node that `insists`, whatever the cluster
    /// agrees on.
    pub fn new(clock: Arc<dyn Clock>, insists: bool) -> Access {
        Access {
            clock,
            directory: ArcSwap::default(),
            updating: Mutex::default(),
            refusals: Mutex::default(),
            insists,
        }
    }

    /// Takes over users, tenants and settings of a state, unless a newer one was taken over before.
    pub fn update(&self, published: &Published) {
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.directory.load();
        let state: &ClusterState = &published.state;
        if state.cluster().is_some() && published.index > before.index {
            let now = Directory::of(state, published.index, &before, self.insists);
            self.directory.store(Arc::new(now));
        }
    }

    /// Takes over every state that is published, for as long as there are any.
    pub async fn follow(self: Arc<Self>, mut published: watch::Receiver<Published>) {
        loop {
            let now = published.borrow_and_update().clone();
            self.update(&now);
            if published.changed().await.is_err() {
                return;
            }
        }
    }

    /// The index of the state that was last taken over; changes whenever identities may have.
    pub fn version(&self) -> u64 {
        self.directory.load().index
    }

    /// Whether whoever connects to this node must authenticate.
    pub fn required(&self) -> bool {
        self.directory.load().required
    }

    /// Whether everybody must authenticate here, whatever the cluster agrees on.
    pub fn insists(&self) -> bool {
        self.insists
    }

    /// Who presents this token: the user named, or, when none is, or `default`, whichever has it.
    ///
    /// # Errors
    /// One for everything: an unknown user, a wrong, expired or revoked token, a disabled user.
    pub fn authenticate(&self, user: Option<&str>, token: &[u8]) -> Result<Arc<Identity>, WrongPass> {
        let directory = self.directory.load();
        let user = match user {
            // Clients that were given a password alone say so, and mean whoever has it. Where nobody needs a token, it
            // is as in a Redis whose default user has no password.
            Some(DEFAULT_USER) => match &directory.anonymous {
                Some(anonymous) => return Ok(anonymous.clone()),
                None => None,
            },
            named => named,
        };
        directory.find(user, &TokenDigest::of(token), self.clock.wall_ms()).ok_or(WrongPass)
    }

    /// Who somebody is that did not authenticate; `None` when that is required.
    pub fn anonymous(&self) -> Option<Arc<Identity>> {
        self.directory.load().anonymous.clone()
    }

    /// The identity as of now: with what has been changed about the user, or `None` when it is nobody's any more.
    pub fn still(&self, identity: &Identity) -> Option<Arc<Identity>> {
        let directory = self.directory.load();
        match identity.token() {
            Some(token) => directory.find(Some(&identity.user), token, self.clock.wall_ms()),
            None => directory.anonymous.clone(),
        }
    }

    /// A tenant's quotas; `None` when there is no such tenant.
    pub fn tenant(&self, tenant: TenantId) -> Option<Arc<Gate>> {
        self.directory.load().tenants.get(&tenant).cloned()
    }

    /// The users in the form of ACL LIST, by name.
    pub fn users(&self) -> Vec<Arc<Identity>> {
        self.directory.load().listed()
    }

    /// Whether a user may do anything, and how many tokens it has; `None` when there is no such user.
    pub fn user_facts(&self, name: &str) -> Option<(bool, Vec<TokenDigest>)> {
        self.directory.load().facts(name)
    }

    /// Notes that somebody was refused something.
    pub fn refused(&self, refusal: Refusal) {
        let now_ms = self.clock.wall_ms();
        self.log().add(refusal, now_ms);
    }

    /// What was refused, oldest first.
    pub fn refusals(&self) -> Vec<Entry> {
        self.log().entries()
    }

    /// How many refusals there were of each reason since the node started.
    pub fn refusal_counts(&self) -> Vec<(&'static str, u64)> {
        self.log().counts().map(|(reason, count)| (reason.name(), count)).to_vec()
    }

    /// Forgets what was refused.
    pub fn reset_refusals(&self) {
        self.log().reset();
    }

    fn log(&self) -> std::sync::MutexGuard<'_, RefusalLog> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
