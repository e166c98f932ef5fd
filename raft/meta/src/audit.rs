//! The audit log: who had what changed, and when.
//!
//! Holds names and numbers only: no token hash, no configuration value. Rejected commands are not recorded,
//! nor are the cluster's routine ones (a change of an in-sync set, the renewal of a role), which would push
//! everything else out.

use crate::{Action, ClusterState, NewToken, PlacementChange, PlacementKind, UserRole};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many entries are kept; the oldest goes first.
pub const MAX_AUDIT_ENTRIES: usize = 1000;

/// One accepted command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Its place in the replicated log.
    pub index: u64,
    /// When it was proposed, in milliseconds since the Unix epoch, by the proposer's clock.
    pub at_ms: u64,
    /// Who asked for it.
    pub actor: String,
    /// The action's name, as in the encoding.
    pub action: String,
    /// What it was done to. The wording is replicated, so changing it needs a new version of the state.
    pub subject: String,
}

/// Appends an entry and forgets the oldest beyond the bound.
pub(crate) fn record(log: &mut VecDeque<AuditEntry>, entry: AuditEntry) {
    while log.len() >= MAX_AUDIT_ENTRIES {
        log.pop_front();
    }
    log.push_back(entry);
}

/// What an action is done to, or none when it is routine and not recorded. Read before the action is applied.
pub(crate) fn subject(state: &ClusterState, action: &Action) -> Option<String> {
    Some(match action {
        Action::CreateCluster { info, .. } => format!("cluster {}", info.id),
        Action::IssueNode { member } => format!("node {} {}", member.id, member.name),
        Action::Boot { node, incarnation, .. } | Action::NodeDown { node, incarnation } => {
            format!("node {node}/{incarnation}")
        }
        Action::SetMode { node, mode } => format!("node {node} {mode}"),
        Action::RemoveNode { node } => format!("node {node}"),
        Action::SetWeight { node, weight } => format!("node {node} {weight}"),
        Action::Place { changes } => placed(changes),
        Action::ChangeInSync { .. } => return None,
        Action::CreateTenant { tenant } => format!("tenant {} {}", tenant.id, tenant.name),
        Action::RemoveTenant { tenant, with_users: true } => format!("tenant {tenant} and its users"),
        Action::UpdateTenant { tenant, .. } | Action::RemoveTenant { tenant, .. } => {
            format!("tenant {tenant}")
        }
        Action::CreateUser { user } => format!("user {} tenant {} {}", user.name, user.tenant, user.role),
        Action::UpdateUser { name, role, enabled } => updated(name, *role, *enabled),
        Action::RemoveUser { name } => format!("user {name}"),
        Action::AddToken { user, token: NewToken { id, .. }, others_expire_at_ms: Some(end) } => {
            format!("user {user} token {id}, others until {end}")
        }
        Action::AddToken { user, token: NewToken { id, .. }, .. } | Action::RevokeToken { user, id } => {
            format!("user {user} token {id}")
        }
        Action::SetConfig { key, .. } => format!("config {key}"),
        Action::AcquireRole { token, .. } if *token != state.next_fencing_token => return None,
        Action::AcquireRole { role, holder, .. } | Action::ReleaseRole { role, holder, .. } => {
            format!("role {role} {holder}")
        }
    })
}

fn updated(name: &str, role: Option<UserRole>, enabled: Option<bool>) -> String {
    let mut text = format!("user {name}");
    if let Some(role) = role {
        text.push_str(&format!(" {role}"));
    }
    if let Some(enabled) = enabled {
        text.push_str(if enabled { " enabled" } else { " disabled" });
    }
    text
}

fn placed(changes: &[PlacementChange]) -> String {
    let [mut promoted, mut restarted, mut handed_over] = [0; 3];
    for change in changes {
        match change.kind {
            PlacementKind::Promote { .. } => promoted += 1,
            PlacementKind::Restart { .. } => restarted += 1,
            PlacementKind::HandOver { .. } => handed_over += 1,
            PlacementKind::Seats => {}
        }
    }
    let partitions = changes.len();
    format!("{partitions} partitions: {promoted} promoted, {restarted} restarted, {handed_over} handed over")
}
