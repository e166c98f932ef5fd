//! The present commands in version 3, if they can be said in it.

use super::{Backward, each, stated, v3};
use crate::{
    Action, Expect, InSyncChange, MetaCommand, NewMember, NewTenant, NewToken, NewUser, PlacementChange,
    PlacementKind,
};

/// What cannot be said in version 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsayable(pub(crate) &'static str);

impl Backward for MetaCommand {
    type Past = Result<v3::MetaCommand, Unsayable>;

    fn backward(&self) -> Self::Past {
        Ok(v3::MetaCommand { at_ms: self.at_ms, actor: self.actor.clone(), action: self.action.backward()? })
    }
}

impl Backward for Action {
    type Past = Result<v3::Action, Unsayable>;

    fn backward(&self) -> Self::Past {
        Ok(match self.clone() {
            Action::CreateCluster { info, founder, incarnation, tenant, placement, config, users } => {
                let (info, founder, tenant) = (info.backward(), founder.backward(), tenant.backward());
                let users = each(&users);
                v3::Action::CreateCluster { info, founder, incarnation, tenant, placement, config, users }
            }
            Action::IssueNode { member } => v3::Action::IssueNode { member: member.backward() },
            Action::Boot { node, incarnation, addrs, zone, region, metadata_version } => {
                let addrs = stated(&addrs, metadata_version);
                v3::Action::Boot { node, incarnation, addrs, zone, region }
            }
            Action::NodeDown { node, incarnation } => v3::Action::NodeDown { node, incarnation },
            Action::SetMode { node, mode } => v3::Action::SetMode { node, mode: mode.backward() },
            Action::RemoveNode { node } => v3::Action::RemoveNode { node },
            Action::SetWeight { node, weight } => v3::Action::SetWeight { node, weight },
            Action::Place { changes } => v3::Action::Place { changes: each(&changes) },
            Action::ChangeInSync { changes } => in_sync(&changes)?,
            Action::CreateTenant { tenant } => v3::Action::CreateTenant { tenant: tenant.backward() },
            Action::UpdateTenant { tenant, settings, expect } => {
                let (settings, expect) = (settings.backward(), expect.backward());
                v3::Action::UpdateTenant { tenant, settings, expect }
            }
            Action::RemoveTenant { tenant, with_users } => v3::Action::RemoveTenant { tenant, with_users },
            Action::CreateUser { user } => v3::Action::CreateUser { user: user.backward() },
            Action::UpdateUser { name, role, enabled } => {
                v3::Action::UpdateUser { name, role: role.backward(), enabled }
            }
            Action::RemoveUser { name } => v3::Action::RemoveUser { name },
            Action::AddToken { user, token, others_expire_at_ms } => {
                v3::Action::AddToken { user, token: token.backward(), others_expire_at_ms }
            }
            Action::RevokeToken { user, id } => v3::Action::RevokeToken { user, id },
            Action::SetConfig { key, value, expect } => {
                v3::Action::SetConfig { key, value, expect: expect.backward() }
            }
            Action::AcquireRole { role, holder, token, until_ms } => {
                v3::Action::AcquireRole { role, holder: holder.backward(), token, until_ms }
            }
            Action::ReleaseRole { role, holder, token } => {
                v3::Action::ReleaseRole { role, holder: holder.backward(), token }
            }
        })
    }
}

fn in_sync(changes: &[InSyncChange]) -> Result<v3::Action, Unsayable> {
    let [InSyncChange { partition, epoch, version, in_sync }] = changes else {
        return Err(Unsayable("other than one change of an in-sync set in a command"));
    };
    let in_sync = each(in_sync);
    Ok(v3::Action::ChangeInSync { partition: *partition, epoch: *epoch, version: *version, in_sync })
}

impl Backward for Expect {
    type Past = v3::Expect;

    fn backward(&self) -> v3::Expect {
        match self {
            Expect::Any => v3::Expect::Any,
            Expect::Absent => v3::Expect::Absent,
            Expect::Value(value) => v3::Expect::Value(value.clone()),
        }
    }
}

impl Backward for NewMember {
    type Past = v3::NewMember;

    fn backward(&self) -> v3::NewMember {
        let NewMember { id, name, addrs, zone, region, weight, metadata_version } = self.clone();
        v3::NewMember { id, name, addrs: stated(&addrs, metadata_version), zone, region, weight }
    }
}

impl Backward for NewTenant {
    type Past = v3::NewTenant;

    fn backward(&self) -> v3::NewTenant {
        let (placement, settings) = (self.placement.backward(), self.settings.backward());
        v3::NewTenant { id: self.id, name: self.name.clone(), placement, settings }
    }
}

impl Backward for NewToken {
    type Past = v3::NewToken;

    fn backward(&self) -> v3::NewToken {
        let NewToken { id, hash, expires_at_ms } = self.clone();
        v3::NewToken { id, hash, expires_at_ms }
    }
}

impl Backward for NewUser {
    type Past = v3::NewUser;

    fn backward(&self) -> v3::NewUser {
        let NewUser { name, tenant, role, tokens } = self;
        let (role, tokens) = (role.backward(), each(tokens));
        v3::NewUser { name: name.clone(), tenant: *tenant, role, tokens }
    }
}

impl Backward for PlacementChange {
    type Past = v3::PlacementChange;

    fn backward(&self) -> v3::PlacementChange {
        let PlacementChange { partition, epoch, version, replicas, kind } = self.clone();
        let kind = match kind {
            PlacementKind::Promote { to } => v3::PlacementKind::Promote { to: to.backward() },
            PlacementKind::Restart { to } => v3::PlacementKind::Restart { to: to.backward() },
            PlacementKind::HandOver { from, to } => {
                v3::PlacementKind::HandOver { from: from.backward(), to: to.backward() }
            }
            PlacementKind::Seats => v3::PlacementKind::Seats,
        };
        v3::PlacementChange { partition, epoch, version, replicas, kind }
    }
}
