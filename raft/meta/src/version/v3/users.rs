//! The users of version 3, and what they become. Frozen.

use crate as next;
use predis_types::TenantId;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserRole {
    ReadOnly,
    ReadWrite,
    Operator,
    Admin,
}

impl fmt::Display for UserRole {
    /// As in the encoding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UserRole::ReadOnly => "read_only",
            UserRole::ReadWrite => "read_write",
            UserRole::Operator => "operator",
            UserRole::Admin => "admin",
        })
    }
}

impl UserRole {
    pub(super) fn into_next(self) -> next::UserRole {
        match self {
            UserRole::ReadOnly => next::UserRole::ReadOnly,
            UserRole::ReadWrite => next::UserRole::ReadWrite,
            UserRole::Operator => next::UserRole::Operator,
            UserRole::Admin => next::UserRole::Admin,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) created_at_ms: u64,
    pub(crate) expires_at_ms: Option<u64>,
}

impl Token {
    fn into_next(self) -> next::Token {
        let Token { id, hash, created_at_ms, expires_at_ms } = self;
        next::Token { id, hash, created_at_ms, expires_at_ms }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) tenant: TenantId,
    pub(crate) role: UserRole,
    pub(crate) enabled: bool,
    pub(crate) tokens: Vec<Token>,
    pub(crate) created_at_ms: u64,
}

impl User {
    pub(super) fn into_next(self) -> next::User {
        let User { name, tenant, role, enabled, tokens, created_at_ms } = self;
        let (role, tokens) = (role.into_next(), tokens.into_iter().map(Token::into_next).collect());
        next::User { name, tenant, role, enabled, tokens, created_at_ms }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    pub(crate) id: String,
    pub(crate) hash: String,
    pub(crate) expires_at_ms: Option<u64>,
}

impl NewToken {
    pub(super) fn into_next(self) -> next::NewToken {
        let NewToken { id, hash, expires_at_ms } = self;
        next::NewToken { id, hash, expires_at_ms }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    pub(crate) name: String,
    pub(crate) tenant: TenantId,
    pub(crate) role: UserRole,
    pub(crate) tokens: Vec<NewToken>,
}

impl NewUser {
    pub(super) fn into_next(self) -> next::NewUser {
        let NewUser { name, tenant, role, tokens } = self;
        let (role, tokens) = (role.into_next(), tokens.into_iter().map(NewToken::into_next).collect());
        next::NewUser { name, tenant, role, tokens }
    }
}
