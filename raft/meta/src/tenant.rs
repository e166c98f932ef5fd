//! A tenant: its settings and the hashes of its tokens.
//!
//! Knows no secret: a token's hash is all that is ever replicated. Whether a policy name means anything is
//! for the node to say, because two versions of the code may know different policies.

use predis_types::TenantId;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Gives an enum without data its lower-case text form in `Display`, `FromStr` and the encoding.
macro_rules! worded {
    ($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($name::$variant => $word,)+ })
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(format!(concat!($what, " must be one of", $(" ", $word,)+ ", got {:?}"), text)),
                }
            }
        }
    };
}

worded! {
    /// How a tenant's keys are laid over partitions. Fixed when the tenant is created.
    TenantPlacement: "placement" {
        /// By slot, over all partitions.
        Spread = "spread",
        /// All in one partition, for programs that use multi-key transactions and scripts.
        Colocated = "colocated",
    }
}

worded! {
    /// When a write is acknowledged.
    Ack: "ack" {
        /// As soon as the primary executed it.
        Async = "async",
        /// When it is committed in the in-sync set.
        Quorum = "quorum",
    }
}

worded! {
    /// What the bearer of a token may do.
    TokenRole: "role" {
        /// Read keys.
        ReadOnly = "read_only",
        /// Read and write keys.
        ReadWrite = "read_write",
        /// Also see and tune the running cluster.
        Operator = "operator",
        /// Everything.
        Admin = "admin",
    }
}

/// A token as the cluster remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenHash {
    /// A name that is not secret, unique within the tenant.
    pub id: String,
    /// SHA-256 of the token, 64 lower-case hexadecimal digits, unique in the cluster.
    pub hash: String,
    /// What its bearer may do.
    pub role: TokenRole,
    /// When it was added, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// Whether it was revoked. A revoked token stays listed and never works again.
    pub revoked: bool,
}

/// What may be changed about a tenant; always replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// When its writes are acknowledged.
    pub ack: Ack,
    /// Its eviction policy's name, lower case, as nodes know it.
    pub policy: String,
    /// Its memory budget on each node in bytes; none means it shares the node's.
    pub memory_bytes: Option<u64>,
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its id, never used again after it is removed.
    pub id: TenantId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// How its keys are laid over partitions.
    pub placement: TenantPlacement,
    /// What may be changed about it.
    pub settings: TenantSettings,
    /// Its tokens, in the order they were added.
    pub token_hashes: Vec<TokenHash>,
    /// When it was created, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
}

/// What a proposer states to create a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// The id it gets: the state's `next_tenant_id`, 0 for the default tenant of a new cluster.
    pub id: TenantId,
    /// 1 to 64 bytes of letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// How its keys are laid over partitions.
    pub placement: TenantPlacement,
    /// Its settings to begin with.
    pub settings: TenantSettings,
}

impl NewTenant {
    /// The tenant at the moment it is created: without tokens.
    pub(crate) fn into_tenant(self, at_ms: u64) -> Tenant {
        Tenant {
            id: self.id,
            name: self.name,
            placement: self.placement,
            settings: self.settings,
            token_hashes: Vec::new(),
            created_at_ms: at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_name_the_rule_when_wrong() {
        for ack in [Ack::Async, Ack::Quorum] {
            assert_eq!(ack.to_string().parse::<Ack>().unwrap(), ack);
        }
        let error = "fast".parse::<Ack>().unwrap_err();
        assert_eq!(error, "ack must be one of async quorum, got \"fast\"");
    }
}
