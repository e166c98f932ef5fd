//! A user: who it is, what it may do, and the hashes of its tokens.
//!
//! Knows no secret: a token's hash is all that is ever replicated. Whether a token has expired is for whoever asks,
//! by a clock of its own.

use crate::worded::worded;
use predis_types::TenantId;
use serde::{Deserialize, Serialize};

worded! {
    /// What a user may do.
    UserRole: "role" {
        /// Read keys.
        ReadOnly = "read_only",
        /// Read and write keys.
        ReadWrite = "read_write",
        /// Also see and tune what runs.
        Operator = "operator",
        /// Also say who is who.
        Admin = "admin",
    }
}

/// A token as the cluster remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// A name that is not secret, unique among the user's tokens.
    pub id: String,
    /// SHA-256 of the token, 64 lower-case hexadecimal digits, unique in the cluster.
    pub hash: String,
    /// When it was added, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// From when on it is useless, in milliseconds since the Unix epoch; none means never.
    pub expires_at_ms: Option<u64>,
}

/// Somebody who authenticates. Belongs to one tenant for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its name, unique in the cluster.
    pub name: String,
    /// Whose keys its commands mean.
    pub tenant: TenantId,
    /// What it may do.
    pub role: UserRole,
    /// Whether it may do anything at all.
    pub enabled: bool,
    /// Its tokens, in the order they were added; any of them proves who it is.
    pub tokens: Vec<Token>,
    /// When it was created, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
}

/// What a proposer states to add a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// 1 to 64 bytes of letters, digits, `.`, `_`, `-`.
    pub id: String,
    /// SHA-256 of the token, 64 lower-case hexadecimal digits, not used by any other token.
    pub hash: String,
    /// From when on it is useless: after the command's time.
    pub expires_at_ms: Option<u64>,
}

/// What a proposer states to create a user. It is enabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 64 bytes of letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// Its tenant.
    pub tenant: TenantId,
    /// What it may do.
    pub role: UserRole,
    /// The tokens to begin with.
    pub tokens: Vec<NewToken>,
}

impl NewToken {
    /// The token at the moment it is added.
    pub(crate) fn into_token(self, at_ms: u64) -> Token {
        Token { id: self.id, hash: self.hash, created_at_ms: at_ms, expires_at_ms: self.expires_at_ms }
    }
}

impl NewUser {
    /// The user at the moment it is created.
    pub(crate) fn into_user(self, at_ms: u64) -> User {
        User {
            name: self.name,
            tenant: self.tenant,
            role: self.role,
            enabled: true,
            tokens: self.tokens.into_iter().map(|token| token.into_token(at_ms)).collect(),
            created_at_ms: at_ms,
        }
    }
}
