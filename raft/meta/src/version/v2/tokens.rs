//! The tokens of version 2, and the users they become. Frozen.

use crate::version::v3 as next;
use predis_types::{TenantId, TokenDigest};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most bytes of a user's name.
const MAX_NAME_BYTES: usize = 64;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenRole {
    ReadOnly,
    ReadWrite,
    Operator,
    Admin,
}

impl TokenRole {
    pub(super) fn into_next(self) -> next::UserRole {
        match self {
            TokenRole::ReadOnly => next::UserRole::ReadOnly,
            TokenRole::ReadWrite => next::UserRole::ReadWrite,
            TokenRole::Operator => next::UserRole::Operator,
            TokenRole::Admin => next::UserRole::Admin,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenHash {
    id: String,
    hash: String,
    role: TokenRole,
    created_at_ms: u64,
    revoked: bool,
}

impl TokenHash {
    /// The user that a tenant's token becomes.
    pub(super) fn into_user(self, tenant: TenantId) -> next::User {
        let TokenHash { id, hash, role, created_at_ms, revoked } = self;
        next::User {
            name: user_name(tenant, &id),
            tenant,
            role: role.into_next(),
            enabled: !revoked,
            tokens: vec![next::Token { id, hash, created_at_ms, expires_at_ms: None }],
            created_at_ms,
        }
    }
}

/// The name of the user that a tenant's token becomes: `tenant-NUMBER.ID`. One that would not be below 64 bytes is
/// cut to 31, a point, and 32 digits of its SHA-256: always 64 bytes, so it is nobody's uncut name.
pub(super) fn user_name(tenant: TenantId, id: &str) -> String {
    let name = format!("tenant-{tenant}.{id}");
    if name.len() < MAX_NAME_BYTES {
        return name;
    }
    let digest = TokenDigest::of(name.as_bytes()).to_string();
    // By characters: a name that is refused later may hold anything.
    name.chars().take(31).chain(['.']).chain(digest.chars().take(32)).collect()
}

/// What an audit entry becomes: that of what its command becomes.
pub(super) fn audited(mut entry: next::AuditEntry, users: &BTreeMap<String, next::User>) -> next::AuditEntry {
    if entry.action == "remove_tenant" {
        entry.subject.push_str(" and its users");
    }
    let Some((tenant, id)) = token(&entry.subject) else { return entry };
    let name = user_name(tenant, id);
    let (action, subject) = match entry.action.as_str() {
        "add_token" => {
            // Nobody knows the role if the tenant was removed.
            let role = users.get(&name).map_or(String::new(), |user| format!(" {}", user.role));
            ("create_user", format!("user {name} tenant {tenant}{role}"))
        }
        "revoke_token" => ("update_user", format!("user {name} disabled")),
        _ => return entry,
    };
    next::AuditEntry { action: action.to_owned(), subject, ..entry }
}

/// Tenant and token of `tenant NUMBER token ID`.
fn token(subject: &str) -> Option<(TenantId, &str)> {
    let (tenant, id) = subject.strip_prefix("tenant ")?.split_once(" token ")?;
    Some((TenantId(tenant.parse().ok()?), id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_fit_and_differ() {
        assert_eq!(user_name(TenantId(0), "ci"), "tenant-0.ci");
        assert_eq!(user_name(TenantId(1), &"x".repeat(54)), format!("tenant-1.{}", "x".repeat(54)));
        let cut = user_name(TenantId(1), &"x".repeat(55));
        assert_eq!(cut, "tenant-1.xxxxxxxxxxxxxxxxxxxxxx.b6ea1e80f32675ea132d9a2d600a7ee2");
        let mut names = BTreeSet::new();
        for tenant in [0, 1, 10, u32::MAX] {
            for id in ["x".repeat(64), "x".repeat(63), "x".repeat(55), format!("{}y", "x".repeat(63))] {
                let name = user_name(TenantId(tenant), &id);
                crate::limits::name("name", &name).unwrap();
                // What a cut name looks like can be a token's name, and yet leads to another.
                let posing = user_name(TenantId(tenant), name.split_once('.').unwrap().1);
                assert!(names.insert(name) && names.insert(posing));
            }
        }
    }

    #[test]
    fn a_name_that_was_never_valid_is_cut_between_characters() {
        assert!(user_name(TenantId(0), &"ä".repeat(64)).starts_with("tenant-0.ä"));
    }
}
