//! Who somebody is, once that is known.

use super::Gate;
use predis_resp::Role;
use predis_types::{TenantId, TokenDigest};
use std::{fmt, sync::Arc};

/// A user as a connection acts in its name.
#[derive(Clone)]
pub struct Identity {
    /// The user's name.
    pub user: Arc<str>,
    /// Whose keys its commands mean.
    pub tenant: TenantId,
    /// What it may do.
    pub role: Role,
    /// Its tenant's quotas.
    pub gate: Arc<Gate>,
    /// Until when that holds, in milliseconds since the Unix epoch; `None`: until something is changed.
    pub until_ms: Option<u64>,
    token: Option<TokenDigest>,
}

impl Identity {
    pub(super) fn new(user: Arc<str>, gate: Arc<Gate>, role: Role) -> Identity {
        Identity { user, tenant: gate.id, role, gate, until_ms: None, token: None }
    }

    /// The same, proved by this token.
    pub(super) fn proved(&self, token: TokenDigest, until_ms: Option<u64>) -> Identity {
        Identity { token: Some(token), until_ms, ..self.clone() }
    }

    /// What it was proved with; `None` for whoever need not prove anything.
    pub(super) fn token(&self) -> Option<&TokenDigest> {
        self.token.as_ref()
    }

    /// Whether anybody may be this one without a token.
    pub fn proves_nothing(&self) -> bool {
        self.user.as_ref() == super::DEFAULT_USER
    }

    /// In whose name it proposes changes.
    pub fn actor(&self) -> String {
        if self.proves_nothing() { self.user.to_string() } else { format!("user:{}", self.user) }
    }

    /// Whether what it does may concern the whole cluster, and not one tenant alone.
    pub fn is_of_cluster(&self) -> bool {
        self.tenant == TenantId::default()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} of tenant {}, {:?})", self.user, self.tenant, self.role)
    }
}

/// Nobody is to learn more than this about why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("WRONGPASS invalid username-password pair or user is disabled.")]
pub struct WrongPass;
