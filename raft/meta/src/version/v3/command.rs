//! The commands of version 3, and what they become. Frozen.

use super::{
    shared::{Addresses, ClusterInfo, Mode, NewTenant, Replica, TenantSettings},
    users::{NewToken, NewUser, UserRole},
};
use crate as next;
use predis_types::{Epoch, Incarnation, NodeId, PartitionId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaCommand {
    pub(crate) at_ms: u64,
    pub(crate) actor: String,
    pub(crate) action: Action,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(clippy::large_enum_variant, reason = "commands come one by one")]
pub(crate) enum Action {
    CreateCluster {
        info: ClusterInfo,
        founder: NewMember,
        incarnation: Incarnation,
        tenant: NewTenant,
        placement: Vec<Vec<NodeId>>,
        config: BTreeMap<String, String>,
        users: Vec<NewUser>,
    },
    IssueNode {
        member: NewMember,
    },
    Boot {
        node: NodeId,
        incarnation: Incarnation,
        addrs: Addresses,
        zone: String,
        region: String,
    },
    NodeDown {
        node: NodeId,
        incarnation: Incarnation,
    },
    SetMode {
        node: NodeId,
        mode: Mode,
    },
    RemoveNode {
        node: NodeId,
    },
    SetWeight {
        node: NodeId,
        weight: u32,
    },
    Place {
        changes: Vec<PlacementChange>,
    },
    ChangeInSync {
        partition: PartitionId,
        epoch: Epoch,
        version: u64,
        in_sync: BTreeSet<Replica>,
    },
    CreateTenant {
        tenant: NewTenant,
    },
    UpdateTenant {
        tenant: TenantId,
        settings: TenantSettings,
        expect: Option<TenantSettings>,
    },
    RemoveTenant {
        tenant: TenantId,
        with_users: bool,
    },
    CreateUser {
        user: NewUser,
    },
    UpdateUser {
        name: String,
        role: Option<UserRole>,
        enabled: Option<bool>,
    },
    RemoveUser {
        name: String,
    },
    AddToken {
        user: String,
        token: NewToken,
        others_expire_at_ms: Option<u64>,
    },
    RevokeToken {
        user: String,
        id: String,
    },
    SetConfig {
        key: String,
        value: Option<String>,
        expect: Expect,
    },
    AcquireRole {
        role: String,
        holder: Replica,
        token: u64,
        until_ms: u64,
    },
    ReleaseRole {
        role: String,
        holder: Replica,
        token: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    Any,
    Absent,
    Value(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    pub(crate) id: NodeId,
    pub(crate) name: String,
    pub(crate) addrs: Addresses,
    pub(crate) zone: String,
    pub(crate) region: String,
    pub(crate) weight: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacementChange {
    pub(crate) partition: PartitionId,
    pub(crate) epoch: Epoch,
    pub(crate) version: u64,
    pub(crate) replicas: Vec<NodeId>,
    pub(crate) kind: PlacementKind,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum PlacementKind {
    Promote { to: Replica },
    Restart { to: Replica },
    HandOver { from: Replica, to: Replica },
    Seats,
}

impl MetaCommand {
    pub(crate) fn into_next(self) -> next::MetaCommand {
        next::MetaCommand { at_ms: self.at_ms, actor: self.actor, action: self.action.into_next() }
    }
}

impl Action {
    fn into_next(self) -> next::Action {
        match self {
            Action::CreateCluster { info, founder, incarnation, tenant, placement, config, users } => {
                next::Action::CreateCluster {
                    info: info.into_next(),
                    founder: founder.into_next(),
                    incarnation,
                    tenant: tenant.into_next(),
                    placement,
                    config,
                    users: users.into_iter().map(NewUser::into_next).collect(),
                }
            }
            Action::IssueNode { member } => next::Action::IssueNode { member: member.into_next() },
            Action::Boot { node, incarnation, addrs, zone, region } => {
                let (addrs, metadata_version) = addrs.into_next();
                next::Action::Boot { node, incarnation, addrs, zone, region, metadata_version }
            }
            Action::NodeDown { node, incarnation } => next::Action::NodeDown { node, incarnation },
            Action::SetMode { node, mode } => next::Action::SetMode { node, mode: mode.into_next() },
            Action::RemoveNode { node } => next::Action::RemoveNode { node },
            Action::SetWeight { node, weight } => next::Action::SetWeight { node, weight },
            Action::Place { changes } => {
                next::Action::Place { changes: changes.into_iter().map(PlacementChange::into_next).collect() }
            }
            Action::ChangeInSync { partition, epoch, version, in_sync } => {
                let in_sync = in_sync.into_iter().map(Replica::into_next).collect();
                let change = next::InSyncChange { partition, epoch, version, in_sync };
                next::Action::ChangeInSync { changes: vec![change] }
            }
            Action::CreateTenant { tenant } => next::Action::CreateTenant { tenant: tenant.into_next() },
            Action::UpdateTenant { tenant, settings, expect } => next::Action::UpdateTenant {
                tenant,
                settings: settings.into_next(),
                expect: expect.map(TenantSettings::into_next),
            },
            Action::RemoveTenant { tenant, with_users } => next::Action::RemoveTenant { tenant, with_users },
            Action::CreateUser { user } => next::Action::CreateUser { user: user.into_next() },
            Action::UpdateUser { name, role, enabled } => {
                next::Action::UpdateUser { name, role: role.map(UserRole::into_next), enabled }
            }
            Action::RemoveUser { name } => next::Action::RemoveUser { name },
            Action::AddToken { user, token, others_expire_at_ms } => {
                next::Action::AddToken { user, token: token.into_next(), others_expire_at_ms }
            }
            Action::RevokeToken { user, id } => next::Action::RevokeToken { user, id },
            Action::SetConfig { key, value, expect } => {
                next::Action::SetConfig { key, value, expect: expect.into_next() }
            }
            Action::AcquireRole { role, holder, token, until_ms } => {
                next::Action::AcquireRole { role, holder: holder.into_next(), token, until_ms }
            }
            Action::ReleaseRole { role, holder, token } => {
                next::Action::ReleaseRole { role, holder: holder.into_next(), token }
            }
        }
    }
}

impl Expect {
    fn into_next(self) -> next::Expect {
        match self {
            Expect::Any => next::Expect::Any,
            Expect::Absent => next::Expect::Absent,
            Expect::Value(value) => next::Expect::Value(value),
        }
    }
}

impl NewMember {
    fn into_next(self) -> next::NewMember {
        let NewMember { id, name, addrs, zone, region, weight } = self;
        let (addrs, metadata_version) = addrs.into_next();
        next::NewMember { id, name, addrs, zone, region, weight, metadata_version }
    }
}

impl PlacementChange {
    fn into_next(self) -> next::PlacementChange {
        let PlacementChange { partition, epoch, version, replicas, kind } = self;
        let kind = match kind {
            PlacementKind::Promote { to } => next::PlacementKind::Promote { to: to.into_next() },
            PlacementKind::Restart { to } => next::PlacementKind::Restart { to: to.into_next() },
            PlacementKind::HandOver { from, to } => {
                next::PlacementKind::HandOver { from: from.into_next(), to: to.into_next() }
            }
            PlacementKind::Seats => next::PlacementKind::Seats,
        };
        next::PlacementChange { partition, epoch, version, replicas, kind }
    }
}
