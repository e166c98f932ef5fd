//! Why a command does not fit the state it met.
//!
//! Part of the answer to a proposer, never of the state: wording may change freely.

use crate::Replica;
use predis_types::{Epoch, Incarnation, NodeId, PartitionId, TenantId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use thiserror::Error;

/// Why a command was rejected. It changed nothing but the applied index.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs, reason = "each variant's message says what it is")]
pub enum Rejected {
    #[error("entry {index} was applied already: the state stands at {applied}")]
    AlreadyApplied { index: u64, applied: u64 },
    #[error("there is no cluster yet")]
    NoCluster,
    #[error("the cluster exists already")]
    ClusterExists,
    #[error("{field}: {rule}, got {value}")]
    Invalid { field: Cow<'static, str>, value: String, rule: Cow<'static, str> },
    #[error("there is no room for another {what}: the limit is {limit}")]
    Full { what: Cow<'static, str>, limit: usize },
    #[error("there is no node {node}")]
    UnknownNode { node: NodeId },
    #[error("there is no partition {partition}")]
    UnknownPartition { partition: PartitionId },
    #[error("there is no tenant {tenant}")]
    UnknownTenant { tenant: TenantId },
    #[error("there is no user {name}")]
    UnknownUser { name: String },
    #[error("user {user} has no token {id}")]
    UnknownToken { user: String, id: String },
    #[error("tenant {tenant} still has the user {user}")]
    TenantHasUser { tenant: TenantId, user: String },
    #[error("node id {given} is not the next one, which is {next}")]
    NodeIdMoved { given: NodeId, next: NodeId },
    #[error("tenant id {given} is not the next one, which is {next}")]
    TenantIdMoved { given: TenantId, next: TenantId },
    #[error("the settings of tenant {tenant} are not what was expected")]
    TenantMoved { tenant: TenantId },
    #[error("fencing token {given} is not the one expected, which is {expected}")]
    TokenMoved { given: u64, expected: u64 },
    #[error("the {what} {name} is taken")]
    Taken { what: Cow<'static, str>, name: String },
    #[error("that token is in use already")]
    TokenInUse,
    #[error("node {node} stands at incarnation {stored}, not {given}")]
    IncarnationMoved { node: NodeId, given: Incarnation, stored: Incarnation },
    #[error("node {node} is down")]
    NodeIsDown { node: NodeId },
    #[error("node {node} is active and up: let it leave first")]
    NodeIsActive { node: NodeId },
    #[error("node {node} still has a seat in partition {partition}")]
    NodeHoldsPartition { node: NodeId, partition: PartitionId },
    #[error("partition {partition} is at epoch {epoch}, set version {version}")]
    PartitionMoved { partition: PartitionId, epoch: Epoch, version: u64 },
    #[error("partition {partition}: {replica} is not in the in-sync set")]
    NotInSync { partition: PartitionId, replica: Replica },
    #[error("partition {partition}: node {node} has no seat")]
    NotSeated { partition: PartitionId, node: NodeId },
    #[error("partition {partition}: {replica} is not the primary")]
    NotPrimary { partition: PartitionId, replica: Replica },
    #[error("partition {partition}: {replica} is the primary already")]
    AlreadyPrimary { partition: PartitionId, replica: Replica },
    #[error("partition {partition} has no primary")]
    NoPrimary { partition: PartitionId },
    #[error("partition {partition} still has a primary or an in-sync replica: it must not start empty")]
    HasSurvivor { partition: PartitionId },
    #[error("partition {partition}: the last in-sync replica would lose its seat")]
    WouldLose { partition: PartitionId },
    #[error("{key} is not what was expected")]
    ConfigMoved { key: String },
    #[error("the default tenant cannot be removed")]
    DefaultTenant,
    #[error("role {role} is held by {holder} until {until_ms}")]
    RoleHeld { role: String, holder: Replica, until_ms: u64 },
    #[error("role {role} is not held by {holder} under token {token}")]
    RoleNotHeld { role: String, holder: Replica, token: u64 },
}

impl Rejected {
    /// Whether the proposer only saw an older state: it may read again and propose anew. Anything else stays
    /// wrong until somebody changes something.
    pub fn may_retry(&self) -> bool {
        matches!(
            self,
            Rejected::NodeIdMoved { .. }
                | Rejected::TenantIdMoved { .. }
                | Rejected::TenantMoved { .. }
                | Rejected::TokenMoved { .. }
                | Rejected::IncarnationMoved { .. }
                | Rejected::PartitionMoved { .. }
                | Rejected::ConfigMoved { .. }
                | Rejected::RoleHeld { .. }
        )
    }
}
