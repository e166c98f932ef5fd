//! The commands that change the cluster's state, as they are proposed and replicated.
//!
//! A command carries everything that was computed: ids, times, placement. Applying it decides nothing but
//! whether it still fits, so that two versions of the code come to the same state.

use crate::{
    Addresses, ClusterInfo, Mode, NewMember, NewTenant, NewToken, NewUser, Replica, TenantSettings, UserRole,
};
use predis_types::{Epoch, Incarnation, NodeId, PartitionId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaCommand {
    /// When it was proposed, in milliseconds since the Unix epoch, by the proposer's clock: the only time
    /// that applying it ever sees.
    pub at_ms: u64,
    /// Who asked for it: 1 to 80 visible ASCII characters.
    pub actor: String,
    /// What is asked for.
    pub action: Action,
}

/// What a command asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(
    clippy::large_enum_variant,
    reason = "commands come one by one, and the largest once in a cluster's life"
)]
pub enum Action {
    /// Makes the cluster: the first command of its life, and only then. The founder is up at once.
    CreateCluster {
        /// What is fixed for good.
        info: ClusterInfo,
        /// The first member, id 1.
        founder: NewMember,
        /// The founder's boot, at least 1.
        incarnation: Incarnation,
        /// The default tenant, id 0.
        tenant: NewTenant,
        /// The seats of every partition, ascending. `[founder]` makes it primary, in epoch 1; `[]` leaves the
        /// partition unplaced, in epoch 0.
        placement: Vec<Vec<NodeId>>,
        /// The dynamic settings to begin with.
        config: BTreeMap<String, String>,
        /// The users to begin with, all of the default tenant: up to [`crate::limits::MAX_FOUNDING_USERS`].
        users: Vec<NewUser>,
    },
    /// Makes a node a member. It is down, without an incarnation, until it boots.
    IssueNode {
        /// The node, with the state's `next_node_id` as its id.
        member: NewMember,
    },
    /// Commits a boot: whatever an earlier boot of the node held, it holds no more.
    Boot {
        /// The node.
        node: NodeId,
        /// Greater than the stored one.
        incarnation: Incarnation,
        /// Where it is now reached.
        addrs: Addresses,
        /// Its zone, as of now.
        zone: String,
        /// Its region, as of now.
        region: String,
        /// The newest version of the metadata that this boot understands, not below the cluster's
        /// [`crate::ClusterState::level`].
        metadata_version: u32,
    },
    /// Judges a boot of a node dead; it holds nothing any more. Only another boot brings the node up.
    NodeDown {
        /// The node.
        node: NodeId,
        /// The boot that is judged; refused when the node has booted since.
        incarnation: Incarnation,
    },
    /// Drains a member (`Draining`), has it leave (`Leaving`), or calls either off (`Active`).
    SetMode {
        /// The member.
        node: NodeId,
        /// What is wanted of it.
        mode: Mode,
    },
    /// Ends a membership. The member must be leaving or down, and have no seat.
    RemoveNode {
        /// The member.
        node: NodeId,
    },
    /// Changes a member's share of the partitions.
    SetWeight {
        /// The member.
        node: NodeId,
        /// 1 to 10000.
        weight: u32,
    },
    /// Changes seats and primaries: all of the changes or, when one does not fit, none.
    Place {
        /// 1 to [`crate::limits::MAX_PLACEMENT_CHANGES`], each for another partition.
        changes: Vec<PlacementChange>,
    },
    /// Replaces in-sync sets, each by itself: those that fit are replaced, whatever becomes of the others. Rejected
    /// only when none fits.
    ChangeInSync {
        /// 1 to [`crate::limits::MAX_PLACEMENT_CHANGES`], each for another partition. So many with sets of more than
        /// five replicas may be too long for an entry of the log.
        changes: Vec<InSyncChange>,
    },
    /// Makes a tenant.
    CreateTenant {
        /// The tenant, with the state's `next_tenant_id` as its id.
        tenant: NewTenant,
    },
    /// Replaces a tenant's settings.
    UpdateTenant {
        /// The tenant.
        tenant: TenantId,
        /// All of its settings.
        settings: TenantSettings,
        /// What the proposer takes them to be now; none for whatever they are.
        expect: Option<TenantSettings>,
    },
    /// Ends a tenant, any but the default one.
    RemoveTenant {
        /// The tenant.
        tenant: TenantId,
        /// Whether its users end with it; otherwise it must have none.
        with_users: bool,
    },
    /// Makes a user.
    CreateUser {
        /// The user, with a name that is not taken.
        user: NewUser,
    },
    /// Changes what a user may do. What is none stays as it is, so that two who change a user at once, one the role
    /// and one whether it is enabled, do not undo each other.
    UpdateUser {
        /// The user's name.
        name: String,
        /// What it may do from now on.
        role: Option<UserRole>,
        /// Whether it may do anything at all.
        enabled: Option<bool>,
    },
    /// Ends a user and its tokens.
    RemoveUser {
        /// The user's name.
        name: String,
    },
    /// Gives a user another token, and forgets those of its tokens that are useless by now.
    AddToken {
        /// The user's name.
        user: String,
        /// The token, with a name that none of the user's tokens has.
        token: NewToken,
        /// From when on the user's other tokens are useless, unless they are earlier, in milliseconds since the
        /// Unix epoch; none leaves them as they are.
        others_expire_at_ms: Option<u64>,
    },
    /// Takes a token from a user.
    RevokeToken {
        /// The user's name.
        user: String,
        /// The token's name.
        id: String,
    },
    /// Sets or removes a dynamic setting.
    SetConfig {
        /// Its name.
        key: String,
        /// Its value, or none to remove it.
        value: Option<String>,
        /// What the proposer takes it to be now.
        expect: Expect,
    },
    /// Takes a role, or renews it when holder and token are those of the lease.
    AcquireRole {
        /// The role's name.
        role: String,
        /// Who wants it: a member's current incarnation.
        holder: Replica,
        /// The state's `next_fencing_token`; for a renewal the lease's own.
        token: u64,
        /// Until when, in milliseconds since the Unix epoch: after `at_ms`.
        until_ms: u64,
    },
    /// Gives a role back.
    ReleaseRole {
        /// The role's name.
        role: String,
        /// Who holds it.
        holder: Replica,
        /// The lease's token.
        token: u64,
    },
}

/// What a setting must be for a change of it to be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Anything.
    Any,
    /// Not set.
    Absent,
    /// Set to exactly this.
    Value(String),
}

/// The replacement of one partition's in-sync set, if neither epoch nor set version has moved on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InSyncChange {
    /// The partition.
    pub partition: PartitionId,
    /// Its epoch, as the proposer saw it.
    pub epoch: Epoch,
    /// Its set version, as the proposer saw it.
    pub version: u64,
    /// The new set: the primary and any seated replicas of current incarnations.
    pub in_sync: BTreeSet<Replica>,
}

/// A change of one partition's seats, and perhaps of its primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacementChange {
    /// The partition.
    pub partition: PartitionId,
    /// Its epoch, as the proposer saw it.
    pub epoch: Epoch,
    /// Its set version, as the proposer saw it.
    pub version: u64,
    /// All seats from now on, distinct members, the primary's first. A replica that loses its seat leaves the
    /// in-sync set.
    pub replicas: Vec<NodeId>,
    /// What becomes of the primary.
    pub kind: PlacementKind,
}

/// What a placement change does to a partition's primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PlacementKind {
    /// An in-sync replica becomes primary, in a new epoch; the in-sync set stays, but for those that lose their
    /// seats. In place of none, after the primary was lost; of itself, which fences whatever was proposed under the
    /// old epoch; or of another, which proposes it once it has stopped and all in-sync replicas have everything: the
    /// graceful change of primary, after which the old one is a replica in sync.
    Promote {
        /// The new primary.
        to: Replica,
    },
    /// The partition starts empty: it had neither primary nor in-sync replica. It counts as lost unless it was
    /// never served.
    Restart {
        /// The new primary.
        to: Replica,
    },
    /// The primary, which knows the partition to be empty and has stopped serving it, gives it away to a node that
    /// need not be in sync. Met in old logs only: partitions that may have keys change hands by a promotion.
    HandOver {
        /// The primary.
        from: Replica,
        /// The new primary.
        to: Replica,
    },
    /// The primary, if there is one, stays, and so does its seat; some in-sync replica keeps its own.
    Seats,
}

impl Action {
    /// The action's name, as in the encoding.
    pub fn name(&self) -> &'static str {
        match self {
            Action::CreateCluster { .. } => "create_cluster",
            Action::IssueNode { .. } => "issue_node",
            Action::Boot { .. } => "boot",
            Action::NodeDown { .. } => "node_down",
            Action::SetMode { .. } => "set_mode",
            Action::RemoveNode { .. } => "remove_node",
            Action::SetWeight { .. } => "set_weight",
            Action::Place { .. } => "place",
            Action::ChangeInSync { .. } => "change_in_sync",
            Action::CreateTenant { .. } => "create_tenant",
            Action::UpdateTenant { .. } => "update_tenant",
            Action::RemoveTenant { .. } => "remove_tenant",
            Action::CreateUser { .. } => "create_user",
            Action::UpdateUser { .. } => "update_user",
            Action::RemoveUser { .. } => "remove_user",
            Action::AddToken { .. } => "add_token",
            Action::RevokeToken { .. } => "revoke_token",
            Action::SetConfig { .. } => "set_config",
            Action::AcquireRole { .. } => "acquire_role",
            Action::ReleaseRole { .. } => "release_role",
        }
    }
}
