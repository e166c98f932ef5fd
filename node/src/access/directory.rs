//! Users and tenants at one moment, as they are looked up.

use super::{DEFAULT_USER, Gate, Identity, REQUIRE_AUTH};
use predis_meta::{ClusterState, User, UserRole};
use predis_resp::Role;
use predis_types::{TenantId, TokenDigest};
use std::{collections::BTreeMap, sync::Arc};

struct Known {
    identity: Identity,
    enabled: bool,
    /// Digest and end of each token.
    tokens: Vec<(TokenDigest, Option<u64>)>,
}

/// The users and tenants of one state.
pub(super) struct Directory {
    /// The state's index.
    pub(super) index: u64,
    pub(super) required: bool,
    /// Who somebody is that did not authenticate.
    pub(super) anonymous: Option<Arc<Identity>>,
    pub(super) tenants: BTreeMap<TenantId, Arc<Gate>>,
    users: BTreeMap<String, Known>,
}

impl Default for Directory {
    /// Before anything is known.
    fn default() -> Self {
        Directory {
            index: 0,
            required: true,
            anonymous: None,
            tenants: BTreeMap::new(),
            users: BTreeMap::new(),
        }
    }
}

impl Directory {
    /// The users and tenants of a state; tenants keep what they have counted `before`.
    pub(super) fn of(state: &ClusterState, index: u64, before: &Directory, insists: bool) -> Directory {
        let required = insists || is_required(state);
        let partitions = state.cluster().map(|cluster| cluster.partitions);
        let gate = |tenant: &predis_meta::Tenant| match before.tenants.get(&tenant.id) {
            Some(known) => known.clone(),
            None => Arc::new(Gate::new(tenant, partitions)),
        };
        let tenants: BTreeMap<TenantId, Arc<Gate>> =
            state.tenants().values().map(|tenant| (tenant.id, gate(tenant))).collect();
        for tenant in state.tenants().values() {
            if let Some(gate) = tenants.get(&tenant.id) {
                gate.set_limits(&tenant.settings);
            }
        }
        let known = |user: &User| Some((user.name.clone(), Known::of(user, tenants.get(&user.tenant)?)));
        let anonymous = (!required).then(|| tenants.get(&TenantId::default())).flatten().map(|gate| {
            // Whoever reaches a cluster that wants no authentication may do everything.
            Arc::new(Identity::new(Arc::from(DEFAULT_USER), gate.clone(), Role::Admin))
        });
        let users = state.users().values().filter_map(known).collect();
        Directory { index, required, anonymous, tenants, users }
    }

    /// The user whose token it is. How long it takes does not depend on what the token is, nor on whose.
    pub(super) fn find(&self, user: Option<&str>, token: &TokenDigest, now_ms: u64) -> Option<Arc<Identity>> {
        let named = user.map(|name| self.users.get(name));
        let candidates: Box<dyn Iterator<Item = &Known>> = match named {
            Some(known) => Box::new(known.into_iter()),
            None => Box::new(self.users.values()),
        };
        let mut found = None;
        for known in candidates {
            for (digest, until_ms) in &known.tokens {
                let live = until_ms.is_none_or(|end| now_ms < end);
                if digest.matches(token) && known.enabled && live {
                    found = Some(Arc::new(known.identity.proved(*digest, *until_ms)));
                }
            }
        }
        found
    }

    /// Every user, whoever need not authenticate included.
    pub(super) fn listed(&self) -> Vec<Arc<Identity>> {
        let users = self.users.values().map(|known| Arc::new(known.identity.clone()));
        self.anonymous.clone().into_iter().chain(users).collect()
    }

    pub(super) fn facts(&self, name: &str) -> Option<(bool, Vec<TokenDigest>)> {
        let digests = |known: &Known| known.tokens.iter().map(|(digest, _)| *digest).collect();
        match self.users.get(name) {
            Some(known) => Some((known.enabled, digests(known))),
            None => self.anonymous.as_ref().filter(|_| name == DEFAULT_USER).map(|_| (true, Vec::new())),
        }
    }
}

/// Whether the cluster has everybody authenticate.
pub fn is_required(state: &ClusterState) -> bool {
    state.config().get(REQUIRE_AUTH).is_some_and(|value| value == "yes")
}

impl Known {
    fn of(user: &User, gate: &Arc<Gate>) -> Known {
        let role = match user.role {
            UserRole::ReadOnly => Role::ReadOnly,
            UserRole::ReadWrite => Role::ReadWrite,
            UserRole::Operator => Role::Operator,
            UserRole::Admin => Role::Admin,
        };
        let digest = |token: &predis_meta::Token| {
            // The metadata lets no other text pass for a digest.
            Some((TokenDigest::from_hex(&token.hash)?, token.expires_at_ms))
        };
        Known {
            identity: Identity::new(Arc::from(user.name.as_str()), gate.clone(), role),
            enabled: user.enabled,
            tokens: user.tokens.iter().filter_map(digest).collect(),
        }
    }
}
