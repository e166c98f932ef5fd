//! How a command changes the state: the common steps, then one file for each group of actions.
//!
//! Every action first validates everything, then changes; nothing fails half-way. No step reads a clock, draws
//! a number or chooses between candidates.

mod cluster;
mod config;
mod in_sync;
mod members;
mod placement;
mod roles;
mod tenants;
mod users;

use crate::{Action, AuditEntry, ClusterState, MetaCommand, Outcome, Rejected, audit, limits};
use predis_types::planted::{self, Bug};

impl ClusterState {
    /// Applies the command at `index` of the replicated log.
    ///
    /// A rejected command changes nothing but the applied index, and is not audited. An index that was applied
    /// already is rejected and changes nothing at all.
    pub fn apply(&mut self, index: u64, command: &MetaCommand) -> Result<Outcome, Rejected> {
        if index <= self.applied_index {
            return Err(Rejected::AlreadyApplied { index, applied: self.applied_index });
        }
        self.applied_index = index;
        limits::actor(&command.actor)?;
        let subject = audit::subject(self, &command.action);
        let outcome = self.act(command.at_ms, &command.action)?;
        if let Some(subject) = subject.filter(|_| !self.forgets(&command.action)) {
            let action = command.action.name().to_owned();
            let entry =
                AuditEntry { index, at_ms: command.at_ms, actor: command.actor.clone(), action, subject };
            audit::record(&mut self.audit, entry);
        }
        Ok(outcome)
    }

    /// Passes over every index up to `index`, for log entries that carry no command.
    pub fn skip_to(&mut self, index: u64) {
        self.applied_index = self.applied_index.max(index);
    }

    fn act(&mut self, at_ms: u64, action: &Action) -> Result<Outcome, Rejected> {
        if let Action::CreateCluster { info, founder, incarnation, tenant, placement, config, users } = action
        {
            let (founder, tenant) = ((founder, *incarnation), (tenant, users.as_slice()));
            return cluster::create(self, at_ms, info, founder, tenant, placement, config);
        }
        if self.cluster.is_none() {
            return Err(Rejected::NoCluster);
        }
        match action {
            Action::CreateCluster { .. } => Err(Rejected::ClusterExists),
            Action::IssueNode { member } => members::issue(self, at_ms, member),
            Action::Boot { node, incarnation, addrs, zone, region, metadata_version } => {
                let boot = (*node, *incarnation, *metadata_version);
                members::boot(self, at_ms, boot, addrs, (zone, region))
            }
            Action::NodeDown { node, incarnation } => members::down(self, at_ms, *node, *incarnation),
            Action::SetMode { node, mode } => members::set_mode(self, at_ms, *node, *mode),
            Action::RemoveNode { node } => members::remove(self, *node),
            Action::SetWeight { node, weight } => members::set_weight(self, at_ms, *node, *weight),
            Action::Place { changes } => placement::place(self, at_ms, changes),
            Action::ChangeInSync { changes } => in_sync::change(self, changes),
            Action::CreateTenant { tenant } => tenants::create(self, at_ms, tenant),
            Action::UpdateTenant { tenant, settings, expect } => {
                tenants::update(self, *tenant, settings, expect.as_ref())
            }
            Action::RemoveTenant { tenant, with_users } => tenants::remove(self, *tenant, *with_users),
            Action::CreateUser { user } => users::create(self, at_ms, user),
            Action::UpdateUser { name, role, enabled } => users::update(self, name, *role, *enabled),
            Action::RemoveUser { name } => users::remove(self, name),
            Action::AddToken { user, token, others_expire_at_ms } => {
                users::add_token(self, at_ms, user, token, *others_expire_at_ms)
            }
            Action::RevokeToken { user, id } => users::revoke_token(self, user, id),
            Action::SetConfig { key, value, expect } => config::set(self, key, value.as_deref(), expect),
            Action::AcquireRole { role, holder, token, until_ms } => {
                roles::acquire(self, at_ms, role, *holder, *token, *until_ms)
            }
            Action::ReleaseRole { role, holder, token } => roles::release(self, role, *holder, *token),
        }
    }

    /// The planted divergence: every other node leaves a change of configuration out of its audit.
    fn forgets(&self, action: &Action) -> bool {
        planted::active(Bug::DivergentApply)
            && matches!(action, Action::SetConfig { .. })
            && self.local_node.is_some_and(|node| node.0 % 2 == 0)
    }
}
