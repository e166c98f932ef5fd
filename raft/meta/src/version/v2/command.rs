//! The commands of version 2, and what they become. Frozen.

use super::{
    shared::{Addresses, ClusterInfo, Mode, NewTenant, Replica, TenantSettings},
    tokens::{TokenRole, user_name},
};
use crate::version::v3 as next;
use predis_types::{Epoch, Incarnation, NodeId, PartitionId, TenantId};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaCommand {
    pub(crate) at_ms: u64,
    pub(crate) actor: String,
    pub(crate) action: Action,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Action {
    CreateCluster {
        info: ClusterInfo,
        founder: NewMember,
        incarnation: Incarnation,
        tenant: NewTenant,
        placement: Vec<Vec<NodeId>>,
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
        in_sync: Vec<Replica>,
    },
    CreateTenant {
        tenant: NewTenant,
    },
    UpdateTenant {
        tenant: TenantId,
        settings: TenantSettings,
    },
    RemoveTenant {
        tenant: TenantId,
    },
    AddToken {
        tenant: TenantId,
        id: String,
        hash: String,
        role: TokenRole,
    },
    RevokeToken {
        tenant: TenantId,
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

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expect {
    Any,
    Absent,
    Value(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    pub(crate) id: NodeId,
    pub(crate) name: String,
    pub(crate) addrs: Addresses,
    pub(crate) zone: String,
    pub(crate) region: String,
    pub(crate) weight: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacementChange {
    pub(crate) partition: PartitionId,
    pub(crate) epoch: Epoch,
    pub(crate) version: u64,
    pub(crate) replicas: Vec<NodeId>,
    pub(crate) kind: PlacementKind,
}

#[derive(Deserialize)]
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
            Action::CreateCluster { info, founder, incarnation, tenant, placement } => {
                next::Action::CreateCluster {
                    info: info.into_next(),
                    founder: founder.into_next(),
                    incarnation,
                    tenant: tenant.into_next(),
                    placement,
                    config: BTreeMap::new(),
                    users: Vec::new(),
                }
            }
            Action::IssueNode { member } => next::Action::IssueNode { member: member.into_next() },
            Action::Boot { node, incarnation, addrs, zone, region } => {
                next::Action::Boot { node, incarnation, addrs: addrs.into_next(), zone, region }
            }
            Action::NodeDown { node, incarnation } => next::Action::NodeDown { node, incarnation },
            Action::SetMode { node, mode } => next::Action::SetMode { node, mode: mode.into_next() },
            Action::RemoveNode { node } => next::Action::RemoveNode { node },
            Action::SetWeight { node, weight } => next::Action::SetWeight { node, weight },
            Action::Place { changes } => {
                next::Action::Place { changes: changes.into_iter().map(PlacementChange::into_next).collect() }
            }
            Action::ChangeInSync { partition, epoch, version, in_sync } => next::Action::ChangeInSync {
                partition,
                epoch,
                version,
                in_sync: in_sync.into_iter().map(Replica::into_next).collect(),
            },
            Action::CreateTenant { tenant } => next::Action::CreateTenant { tenant: tenant.into_next() },
            Action::UpdateTenant { tenant, settings } => {
                next::Action::UpdateTenant { tenant, settings: settings.into_next(), expect: None }
            }
            Action::RemoveTenant { tenant } => next::Action::RemoveTenant { tenant, with_users: true },
            Action::AddToken { tenant, id, hash, role } => add_token(tenant, id, hash, role),
            Action::RevokeToken { tenant, id } => {
                let name = user_name(tenant, &id);
                next::Action::UpdateUser { name, role: None, enabled: Some(false) }
            }
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

fn add_token(tenant: TenantId, id: String, hash: String, role: TokenRole) -> next::Action {
    let (name, role) = (user_name(tenant, &id), role.into_next());
    let tokens = vec![next::NewToken { id, hash, expires_at_ms: None }];
    next::Action::CreateUser { user: next::NewUser { name, tenant, role, tokens } }
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
        next::NewMember {
            id: self.id,
            name: self.name,
            addrs: self.addrs.into_next(),
            zone: self.zone,
            region: self.region,
            weight: self.weight,
        }
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
