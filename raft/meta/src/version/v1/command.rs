//! The commands of version 1, and what they become. Frozen.

use super::shared::{Ack, ClusterInfo, Mode, NewTenant, Replica, addresses, settings};
use crate::version::v2 as next;
use predis_types::{Epoch, Incarnation, NodeId, PartitionId, TenantId};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaCommand {
    at_ms: u64,
    actor: String,
    action: Action,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Action {
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
        addr: String,
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
        ack: Ack,
        policy: String,
        memory_bytes: Option<u64>,
    },
    RemoveTenant {
        tenant: TenantId,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    id: NodeId,
    name: String,
    addr: String,
    zone: String,
    region: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlacementChange {
    partition: PartitionId,
    epoch: Epoch,
    version: u64,
    replicas: Vec<NodeId>,
    kind: PlacementKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum PlacementKind {
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
                }
            }
            Action::IssueNode { member } => next::Action::IssueNode { member: member.into_next() },
            Action::Boot { node, incarnation, addr, zone, region } => {
                next::Action::Boot { node, incarnation, addrs: addresses(addr), zone, region }
            }
            Action::NodeDown { node, incarnation } => next::Action::NodeDown { node, incarnation },
            Action::SetMode { node, mode } => next::Action::SetMode { node, mode: mode.into_next() },
            Action::RemoveNode { node } => next::Action::RemoveNode { node },
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
            Action::UpdateTenant { tenant, ack, policy, memory_bytes } => {
                next::Action::UpdateTenant { tenant, settings: settings(ack, policy, memory_bytes) }
            }
            Action::RemoveTenant { tenant } => next::Action::RemoveTenant { tenant },
        }
    }
}

impl NewMember {
    fn into_next(self) -> next::NewMember {
        next::NewMember {
            id: self.id,
            name: self.name,
            addrs: addresses(self.addr),
            zone: self.zone,
            region: self.region,
            weight: next::DEFAULT_WEIGHT,
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
