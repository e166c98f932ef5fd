//! Random commands that mostly fit: drawn from a seed with the state in view, then spoilt now and then.

mod placement;
mod users;

use super::samples::{addresses, member, tenant};
use predis_meta::{Action, ClusterState, Expect, MetaCommand, Mode, NewMember, Replica, VERSION};
use predis_types::{Incarnation, NodeId, PartitionId, Rng, SplitMix64, TenantId};

/// Draws what a command is made of.
pub struct Draw<'a> {
    pub state: &'a ClusterState,
    rng: SplitMix64,
}

impl Draw<'_> {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    /// True about once in `n`.
    pub fn rarely(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len() as u64) as usize).copied()
    }

    /// A member, or rarely nobody.
    pub fn node(&mut self) -> NodeId {
        let known: Vec<NodeId> = self.state.nodes().keys().copied().collect();
        if self.rarely(20) { NodeId(self.below(99)) } else { self.pick(&known).unwrap_or(NodeId(1)) }
    }

    /// The current boot of a node, or rarely another.
    pub fn boot_of(&mut self, node: NodeId) -> Replica {
        let current = self.state.node(node).map_or(0, |member| member.incarnation.0);
        let incarnation = Incarnation(if self.rarely(12) { self.below(5) } else { current });
        Replica { node, incarnation }
    }

    pub fn partition(&mut self) -> PartitionId {
        let bound = if self.rarely(30) { 99 } else { self.state.partitions().len() as u64 };
        PartitionId(self.below(bound) as u16)
    }

    fn tenant(&mut self) -> TenantId {
        let known: Vec<TenantId> = self.state.tenants().keys().copied().collect();
        if self.rarely(12) { TenantId(99) } else { self.pick(&known).unwrap_or_default() }
    }

    fn name(&mut self, of: &str) -> String {
        if self.rarely(30) { "not a name".into() } else { format!("{of}{}", self.below(6)) }
    }
}

/// The command that a seed stands for in this state.
pub fn command(state: &ClusterState, seed: u64) -> MetaCommand {
    let mut draw = Draw { state, rng: SplitMix64::new(seed) };
    let at_ms = 1000 + draw.below(100_000);
    let actor = if draw.rarely(40) { "two words".to_owned() } else { "walk".to_owned() };
    let action =
        if state.cluster().is_none() && !draw.rarely(5) { create(&mut draw) } else { any(&mut draw, at_ms) };
    MetaCommand { at_ms, actor, action }
}

fn create(draw: &mut Draw<'_>) -> Action {
    let mut action = super::samples::create(1 << draw.below(5));
    if let Action::CreateCluster { placement, info, users, founder, .. } = &mut action {
        founder.metadata_version = understood(draw);
        info.copies = draw.below(5) as u8;
        users::spoil(draw, users);
        placement.iter_mut().filter(|_| draw.rarely(3)).for_each(Vec::clear);
    }
    action
}

fn any(draw: &mut Draw<'_>, at_ms: u64) -> Action {
    match draw.below(30) {
        0 if draw.rarely(4) => create(draw),
        0..=2 => issue(draw),
        3..=5 => boot(draw),
        6 => {
            let node = draw.node();
            Action::NodeDown { node, incarnation: draw.boot_of(node).incarnation }
        }
        7 => {
            let mode = draw.pick(&[Mode::Active, Mode::Draining, Mode::Leaving]).unwrap();
            Action::SetMode { node: draw.node(), mode }
        }
        8 => Action::RemoveNode { node: draw.node() },
        9 => Action::SetWeight { node: draw.node(), weight: draw.below(12_000) as u32 },
        10..=15 => placement::place(draw),
        16..=17 => placement::change_in_sync(draw),
        18..=19 => tenants(draw),
        20 => config(draw),
        21..=22 => roles(draw, at_ms),
        _ => users::users(draw, at_ms),
    }
}

/// What somebody understands who may be a version behind, or ahead.
fn understood(draw: &mut Draw<'_>) -> u32 {
    if draw.rarely(4) { draw.pick(&[3, 3, 3, VERSION + 1]).unwrap() } else { VERSION }
}

fn issue(draw: &mut Draw<'_>) -> Action {
    let id = draw.state.next_node_id().0 + u64::from(draw.rarely(10));
    let name = draw.name("n");
    let metadata_version = understood(draw);
    Action::IssueNode { member: NewMember { metadata_version, ..member(id, &name) } }
}

fn boot(draw: &mut Draw<'_>) -> Action {
    let node = draw.node();
    let Incarnation(current) = draw.boot_of(node).incarnation;
    let incarnation = Incarnation(current + draw.below(3));
    let (zone, region, metadata_version) = (draw.name("z"), String::new(), understood(draw));
    Action::Boot { node, incarnation, addrs: addresses("booted"), zone, region, metadata_version }
}

fn tenants(draw: &mut Draw<'_>) -> Action {
    let of = draw.tenant();
    match draw.below(8) {
        0..=4 => {
            let id = draw.state.next_tenant_id().0 + u32::from(draw.rarely(10));
            let name = draw.name("t");
            Action::CreateTenant { tenant: tenant(id, &name) }
        }
        5..=6 => {
            let mut settings = tenant(0, "any").settings;
            settings.memory_bytes = Some(draw.below(4));
            settings.max_connections = Some(draw.below(4)).filter(|most| *most < 3);
            Action::UpdateTenant { tenant: of, settings, expect: None }
        }
        _ => Action::RemoveTenant { tenant: of, with_users: draw.rarely(2) },
    }
}

fn config(draw: &mut Draw<'_>) -> Action {
    let key = draw.name("c");
    let value = (!draw.rarely(4)).then(|| draw.name("v"));
    let expect = match draw.below(3) {
        0 => Expect::Any,
        1 => Expect::Absent,
        _ => Expect::Value(draw.state.config().get(&key).cloned().unwrap_or_default()),
    };
    Action::SetConfig { key, value, expect }
}

fn roles(draw: &mut Draw<'_>, at_ms: u64) -> Action {
    let role = draw.name("r");
    let lease = draw.state.roles().get(&role).filter(|_| !draw.state.roles().is_empty());
    let node = draw.node();
    let (holder, token) = match lease {
        Some(lease) if !draw.rarely(3) => (lease.holder, lease.token),
        _ => (draw.boot_of(node), draw.state.next_fencing_token()),
    };
    if draw.rarely(3) {
        return Action::ReleaseRole { role, holder, token };
    }
    Action::AcquireRole { role, holder, token, until_ms: at_ms + draw.below(50_000) }
}
