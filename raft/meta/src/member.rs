//! A member of the cluster as every node sees it.
//!
//! Knows what was committed about a node, not whether it answers at this moment.

use predis_types::{Incarnation, NodeId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The weight of a member that asked for no other.
pub const DEFAULT_WEIGHT: u32 = 100;

/// Where a member is reached: each `host:port`, as other nodes and clients should dial it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// Where clients speak RESP.
    pub resp: String,
    /// Where other nodes and operators speak gRPC.
    pub grpc: String,
    /// Where metrics and health are served over HTTP.
    pub metrics: String,
}

/// What the operators want of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It may hold partitions.
    Active,
    /// Its partitions are to be moved away; it stays a member.
    Draining,
    /// Its partitions are to be moved away, then it is to be removed.
    Leaving,
}

impl fmt::Display for Mode {
    /// `active`, `draining` or `leaving`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Active => "active",
            Mode::Draining => "draining",
            Mode::Leaving => "leaving",
        })
    }
}

/// What the cluster last agreed on about a member's liveness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It booted and was not judged dead since.
    Up,
    /// It never booted, or was judged dead. Only a boot with a new incarnation brings it up.
    Down,
}

impl fmt::Display for Status {
    /// `up` or `down`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Status::Up { "up" } else { "down" })
    }
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its id, never used again after it leaves.
    pub id: NodeId,
    /// Its name, unique among members that are up.
    pub name: String,
    /// Where it is reached.
    pub addrs: Addresses,
    /// The failure zone it runs in; empty when none was stated.
    pub zone: String,
    /// The region it runs in; empty when none was stated.
    pub region: String,
    /// Its share of the partitions relative to other members: 1 to 10000.
    pub weight: u32,
    /// What the operators want of it.
    pub mode: Mode,
    /// Whether it is taken to be alive.
    pub status: Status,
    /// Its latest boot; 0 until the first one.
    pub incarnation: Incarnation,
    /// The newest version of the metadata that its latest boot understands; before the first one, that the node
    /// understood when it joined.
    pub metadata_version: u32,
    /// When its id was issued, in milliseconds since the Unix epoch.
    pub joined_at_ms: u64,
    /// When mode, status or weight last changed, or it last booted, in milliseconds since the Unix epoch.
    pub changed_at_ms: u64,
}

impl Member {
    /// Whether it is taken to be alive.
    pub fn is_up(&self) -> bool {
        self.status == Status::Up
    }
}

/// What a node states about itself when it becomes a member. The proposer fills in the id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The id it gets: the state's `next_node_id`.
    pub id: NodeId,
    /// 1 to 64 bytes of letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// Where it is reached.
    pub addrs: Addresses,
    /// Its failure zone, a name or empty.
    pub zone: String,
    /// Its region, a name or empty.
    pub region: String,
    /// 1 to 10000; [`DEFAULT_WEIGHT`] when nobody cares.
    pub weight: u32,
    /// The newest version of the metadata that it understands.
    pub metadata_version: u32,
}

impl NewMember {
    /// The member at the moment its id is issued: active, not yet up, without an incarnation.
    pub(crate) fn into_member(self, at_ms: u64) -> Member {
        Member {
            id: self.id,
            name: self.name,
            addrs: self.addrs,
            zone: self.zone,
            region: self.region,
            weight: self.weight,
            mode: Mode::Active,
            status: Status::Down,
            incarnation: Incarnation(0),
            metadata_version: self.metadata_version,
            joined_at_ms: at_ms,
            changed_at_ms: at_ms,
        }
    }
}
