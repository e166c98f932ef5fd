//! The one value the cluster agrees on, and how it is read.
//!
//! Changed by [`ClusterState::apply`] alone. Knows nothing of the log it is replicated by.

use crate::{
    AuditEntry, ClusterInfo, Member, OLDEST_WRITTEN, PartitionState, Replica, RoleLease, Tenant, User,
};
use predis_types::{Incarnation, NodeId, PartitionId, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Everything the cluster agrees on. Two nodes that applied the same commands hold equal states.
///
/// What must hold at any time is written down in [`ClusterState::check`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterState {
    pub(crate) cluster: Option<ClusterInfo>,
    pub(crate) nodes: BTreeMap<NodeId, Member>,
    pub(crate) next_node_id: NodeId,
    pub(crate) partitions: Vec<PartitionState>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) next_tenant_id: TenantId,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) roles: BTreeMap<String, RoleLease>,
    pub(crate) next_fencing_token: u64,
    pub(crate) audit: VecDeque<AuditEntry>,
    pub(crate) applied_index: u64,
    /// Whose copy this is; not agreed on, so in neither encoding nor digest.
    #[serde(skip)]
    pub(crate) local_node: Option<NodeId>,
}

impl Default for ClusterState {
    /// The state before the first command: no cluster.
    fn default() -> Self {
        ClusterState {
            cluster: None,
            nodes: BTreeMap::new(),
            next_node_id: NodeId(1),
            partitions: Vec::new(),
            tenants: BTreeMap::new(),
            next_tenant_id: TenantId(0),
            users: BTreeMap::new(),
            config: BTreeMap::new(),
            roles: BTreeMap::new(),
            next_fencing_token: 1,
            audit: VecDeque::new(),
            applied_index: 0,
            local_node: None,
        }
    }
}

impl ClusterState {
    /// The state before the first command: no cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was fixed at creation, or none before it.
    pub fn cluster(&self) -> Option<&ClusterInfo> {
        self.cluster.as_ref()
    }

    /// All members by id.
    pub fn nodes(&self) -> &BTreeMap<NodeId, Member> {
        &self.nodes
    }

    /// One member.
    pub fn node(&self, id: NodeId) -> Option<&Member> {
        self.nodes.get(&id)
    }

    /// The member of this name: the one that is up, else the one that joined last.
    pub fn node_named(&self, name: &str) -> Option<&Member> {
        let mut named = self.nodes.values().rev().filter(|member| member.name == name);
        let last = named.next()?;
        if last.is_up() { Some(last) } else { named.find(|member| member.is_up()).or(Some(last)) }
    }

    /// The id the next member gets.
    pub fn next_node_id(&self) -> NodeId {
        self.next_node_id
    }

    /// All partitions, ascending; empty before the cluster is created.
    pub fn partitions(&self) -> &[PartitionState] {
        &self.partitions
    }

    /// One partition.
    pub fn partition(&self, id: PartitionId) -> Option<&PartitionState> {
        self.partitions.get(usize::from(id.0))
    }

    /// The partitions in which a node has a seat, ascending.
    pub fn seats_of(&self, node: NodeId) -> impl Iterator<Item = PartitionId> + '_ {
        self.numbered().filter(move |(_, partition)| partition.is_seated(node)).map(|(id, _)| id)
    }

    /// The partitions whose primary this replica is, ascending.
    pub fn primaries_of(&self, replica: Replica) -> impl Iterator<Item = PartitionId> + '_ {
        self.numbered().filter(move |(_, partition)| partition.primary == Some(replica)).map(|(id, _)| id)
    }

    /// Whether the replica is its node's current boot and the node is up: only then may it hold anything.
    pub fn is_live(&self, replica: Replica) -> bool {
        self.node(replica.node).is_some_and(|m| m.is_up() && m.incarnation == replica.incarnation)
    }

    /// All tenants by id.
    pub fn tenants(&self) -> &BTreeMap<TenantId, Tenant> {
        &self.tenants
    }

    /// The tenant of this name.
    pub fn tenant_named(&self, name: &str) -> Option<&Tenant> {
        self.tenants.values().find(|tenant| tenant.name == name)
    }

    /// All users by name.
    pub fn users(&self) -> &BTreeMap<String, User> {
        &self.users
    }

    /// The users of a tenant, by name.
    pub fn users_of(&self, tenant: TenantId) -> impl Iterator<Item = &User> + '_ {
        self.users.values().filter(move |user| user.tenant == tenant)
    }

    /// The id the next tenant gets.
    pub fn next_tenant_id(&self) -> TenantId {
        self.next_tenant_id
    }

    /// All dynamic settings.
    pub fn config(&self) -> &BTreeMap<String, String> {
        &self.config
    }

    /// All roles that are held or were not given back.
    pub fn roles(&self) -> &BTreeMap<String, RoleLease> {
        &self.roles
    }

    /// The token the next grant of a role gets.
    pub fn next_fencing_token(&self) -> u64 {
        self.next_fencing_token
    }

    /// The newest accepted commands, oldest first.
    pub fn audit(&self) -> &VecDeque<AuditEntry> {
        &self.audit
    }

    /// The version in which commands and snapshots must be written so that every member can read them: the lowest
    /// that members which have booted understand. Does not fall while one of those is left, because no node that
    /// understands less is let in.
    ///
    /// A state without a cluster knows no member, and so takes them to read no more than [`OLDEST_WRITTEN`].
    pub fn level(&self) -> u32 {
        let booted = self.nodes.values().filter(|member| member.incarnation > Incarnation(0));
        booted.map(|member| member.metadata_version).min().unwrap_or(OLDEST_WRITTEN)
    }

    /// The log index up to which this state is the result.
    pub fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// Says whose copy this is. Nothing agreed on depends on it; it is lost in encoding.
    pub fn set_local_node(&mut self, node: Option<NodeId>) {
        self.local_node = node;
    }

    pub(crate) fn numbered(&self) -> impl Iterator<Item = (PartitionId, &PartitionState)> {
        (0..=u16::MAX).map(PartitionId).zip(&self.partitions)
    }
}
