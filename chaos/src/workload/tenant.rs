//! The tenant whose writes are acknowledged by a quorum, and the user that clients of it are.

use super::session::Login;
use predis_meta::{Ack, Action, ClusterState, MetaCommand, NewTenant, NewToken, NewUser, TenantPlacement};
use predis_meta::{TenantSettings, UserRole};
use predis_raft::MetaRaft;
use predis_types::TokenDigest;
use std::time::Duration;

/// The tenant's name, and its user's.
const NAME: &str = "q";

/// Who its clients are.
pub(super) const LOGIN: Login = Login { user: NAME, token: "quorum" };

const LIMIT: Duration = Duration::from_secs(1);

/// Has the tenant and its user made, whoever else tries; returns when they are.
pub(super) async fn make(meta: &MetaRaft) {
    let mut published = meta.watch();
    loop {
        let state = published.borrow_and_update().state.clone();
        if state.users().contains_key(NAME) {
            return;
        }
        if state.cluster().is_some() {
            let command = MetaCommand { at_ms: 1, actor: "operator".to_owned(), action: next_step(&state) };
            // Others propose the same, and all but one are refused.
            if meta.propose(&command, LIMIT).await.is_ok() {
                continue;
            }
        }
        // Whatever was refused or lost is tried again with the next state, or in a while.
        let changed = tokio::time::timeout(LIMIT, published.changed()).await;
        if matches!(changed, Ok(Err(_))) {
            return;
        }
    }
}

/// What is missing, the tenant or its user.
fn next_step(state: &ClusterState) -> Action {
    let Some(tenant) = state.tenants().values().find(|tenant| tenant.name == NAME) else {
        return Action::CreateTenant {
            tenant: NewTenant {
                id: state.next_tenant_id(),
                name: NAME.to_owned(),
                placement: TenantPlacement::Spread,
                settings: TenantSettings::unlimited(Ack::Quorum, "lru"),
            },
        };
    };
    let hash = TokenDigest::of(LOGIN.token.as_bytes()).to_string();
    Action::CreateUser {
        user: NewUser {
            name: NAME.to_owned(),
            tenant: tenant.id,
            role: UserRole::ReadWrite,
            tokens: vec![NewToken { id: NAME.to_owned(), hash, expires_at_ms: None }],
        },
    }
}
