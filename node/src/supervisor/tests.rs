//! Plans carried out on an agreed state, as the rest of a cluster would: seats first, then copies, then moves.

use super::plan::{Intentions, Plan, is_settled, plan};
use crate::regions::{HOME_REGION, RECOVERIES, REGION_COPIES, is_recovery, spare_holders, with_recovery};
use predis_meta::{
    Ack, Action, Addresses, ClusterInfo, ClusterState, Expect, InSyncChange, MetaCommand, NewMember,
    NewTenant, PartitionState, PlacementChange, PlacementKind, Replica, TenantPlacement, TenantSettings,
    VERSION,
};
use predis_types::{ClusterId, Incarnation, NodeId, PartitionCount, PartitionId, TenantId};
use std::collections::{BTreeMap, BTreeSet};

const PARTITIONS: u16 = 16;

struct Rig {
    state: ClusterState,
    intentions: Intentions,
}

fn addresses(node: u64) -> Addresses {
    Addresses { resp: format!("h{node}:1"), grpc: format!("h{node}:2"), metrics: format!("h{node}:3") }
}

fn member(node: u64, region: &str) -> NewMember {
    NewMember {
        id: NodeId(node),
        name: format!("node-{node}"),
        addrs: addresses(node),
        zone: format!("z{node}"),
        region: region.to_owned(),
        weight: 100,
        metadata_version: VERSION,
    }
}

impl Rig {
    /// Nodes 1, 2, ... in these regions, all up; node 1 has everything.
    fn new(copies: u8, regions: &[&str]) -> Rig {
        let mut rig = Rig { state: ClusterState::new(), intentions: Intentions::default() };
        let settings = TenantSettings::unlimited(Ack::Async, "lru");
        let tenant = NewTenant {
            id: TenantId(0),
            name: "default".into(),
            placement: TenantPlacement::Spread,
            settings,
        };
        let partitions = PartitionCount::new(PARTITIONS).unwrap();
        let info = ClusterInfo { id: ClusterId(1), created_at_ms: 1, partitions, copies, hash_key: [1, 2] };
        rig.apply(Action::CreateCluster {
            info,
            founder: member(1, regions[0]),
            incarnation: Incarnation(1),
            tenant,
            placement: vec![vec![NodeId(1)]; PARTITIONS.into()],
            config: BTreeMap::new(),
            users: Vec::new(),
        });
        for (node, region) in (2..).zip(&regions[1..]) {
            rig.apply(Action::IssueNode { member: member(node, region) });
            rig.boot(node, region);
        }
        rig
    }

    fn boot(&mut self, node: u64, region: &str) {
        let incarnation = Incarnation(self.state.node(NodeId(node)).unwrap().incarnation.0 + 1);
        self.apply(Action::Boot {
            node: NodeId(node),
            incarnation,
            addrs: addresses(node),
            zone: format!("z{node}"),
            region: region.to_owned(),
            metadata_version: VERSION,
        });
    }

    fn down(&mut self, node: u64) {
        let incarnation = self.state.node(NodeId(node)).unwrap().incarnation;
        self.apply(Action::NodeDown { node: NodeId(node), incarnation });
    }

    fn set(&mut self, key: &str, value: &str) {
        let value = Some(value.to_owned());
        self.apply(Action::SetConfig { key: key.to_owned(), value, expect: Expect::Any });
    }

    fn apply(&mut self, action: Action) {
        let index = self.state.applied_index() + 1;
        let command = MetaCommand { at_ms: index, actor: "test".into(), action };
        self.state.apply(index, &command).unwrap();
        self.state.check().unwrap();
    }

    fn home(&self) -> Option<String> {
        crate::regions::home(&self.state).map(str::to_owned)
    }

    fn region(&self, node: NodeId) -> &str {
        &self.state.node(node).unwrap().region
    }

    /// Plans and does what is planned, until nothing is.
    fn settle(&mut self) {
        for _ in 0..50 {
            let Plan { changes, moves } = plan(&self.state, &mut self.intentions);
            let idle = changes.is_empty() && moves.is_empty();
            if !changes.is_empty() {
                self.apply(Action::Place { changes });
            } else {
                moves.into_values().flatten().for_each(|wanted| self.promote(wanted.partition, wanted.to));
            }
            if !self.copy() && idle {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn promote(&mut self, id: PartitionId, to: NodeId) {
        let partition = self.state.partition(id).unwrap();
        let to = *partition.in_sync.iter().find(|replica| replica.node == to).unwrap();
        let others = partition.replicas.iter().copied().filter(|node| *node != to.node);
        let change = PlacementChange {
            partition: id,
            epoch: partition.epoch,
            version: partition.version,
            replicas: std::iter::once(to.node).chain(others).collect(),
            kind: PlacementKind::Promote { to },
        };
        self.apply(Action::Place { changes: vec![change] });
    }

    /// What primaries do: those seated join the sets, and those that nobody waits for leave them at last. Whether any
    /// set changed.
    fn copy(&mut self) -> bool {
        let mut changes = Vec::new();
        for (id, partition) in (0..).map(PartitionId).zip(self.state.partitions()) {
            let Some(primary) = partition.primary else { continue };
            let up =
                partition.replicas.iter().filter_map(|node| self.state.node(*node)).filter(|m| m.is_up());
            let seated: BTreeSet<Replica> =
                up.map(|m| Replica { node: m.id, incarnation: m.incarnation }).collect();
            let home = self.home();
            let apart =
                |replica: &Replica| home.as_deref().is_some_and(|home| self.region(replica.node) != home);
            let mut in_sync = partition.in_sync.clone();
            in_sync.extend(seated.iter().filter(|replica| !apart(replica)));
            if !apart(&primary) {
                in_sync.retain(|replica| !apart(replica));
            }
            if in_sync != partition.in_sync {
                let (epoch, version) = (partition.epoch, partition.version);
                changes.push(InSyncChange { partition: id, epoch, version, in_sync });
            }
        }
        let changed = !changes.is_empty();
        if changed {
            self.apply(Action::ChangeInSync { changes });
        }
        changed
    }

    /// Of every partition: the regions of its in-sync copies, primary first, and of those beside them.
    fn lies(&self) -> BTreeSet<(Vec<&str>, Vec<&str>)> {
        let lies = |partition: &PartitionState| {
            let in_sync = |node: &&NodeId| partition.in_sync.iter().any(|replica| replica.node == **node);
            let (near, far): (Vec<_>, Vec<_>) = partition.replicas.iter().partition(in_sync);
            let regions = |nodes: Vec<&NodeId>| nodes.into_iter().map(|node| self.region(*node)).collect();
            (regions(near), regions(far))
        };
        self.state.partitions().iter().map(lies).collect()
    }
}

#[test]
fn without_a_home_copies_lie_wherever_there_is_room() {
    let mut rig = Rig::new(2, &["a", "b"]);
    rig.set(REGION_COPIES, "1");
    rig.settle();
    let everywhere: BTreeSet<_> = [(vec!["a", "b"], vec![]), (vec!["b", "a"], vec![])].into();
    assert_eq!(rig.lies(), everywhere);
    rig.set(HOME_REGION, "nowhere");
    rig.settle();
    assert_eq!(rig.lies(), everywhere, "a home that is no member's is none");
    assert!(is_settled(&rig.state));
}

#[test]
fn at_home_are_those_that_are_waited_for_and_elsewhere_the_others() {
    let mut rig = Rig::new(2, &["a", "a", "b", "b", "c"]);
    rig.set(HOME_REGION, "a");
    rig.settle();
    assert_eq!(rig.lies(), [(vec!["a", "a"], vec![])].into());
    rig.set(REGION_COPIES, "1");
    rig.settle();
    assert_eq!(rig.lies(), [(vec!["a", "a"], vec!["b", "c"])].into());
    assert!(is_settled(&rig.state));
    for node in [3, 4] {
        let seats = rig.state.seats_of(NodeId(node)).count();
        assert_eq!(seats, usize::from(PARTITIONS) / 2, "evenly over the nodes of a region");
    }
    rig.set(REGION_COPIES, "2");
    rig.settle();
    assert_eq!(rig.lies(), [(vec!["a", "a"], vec!["b", "b", "c"])].into());
    rig.set(REGION_COPIES, "0");
    rig.settle();
    assert_eq!(rig.lies(), [(vec!["a", "a"], vec![])].into());
}

#[test]
fn the_home_moves_without_a_break_and_without_an_epoch_too_many() {
    let mut rig = Rig::new(2, &["a", "a", "b", "b"]);
    rig.set(HOME_REGION, "a");
    rig.set(REGION_COPIES, "1");
    rig.settle();
    let epochs: Vec<_> = rig.state.partitions().iter().map(|partition| partition.epoch.0).collect();
    rig.set(HOME_REGION, "b");
    rig.settle();
    assert_eq!(rig.lies(), [(vec!["b", "b"], vec!["a"])].into());
    for (partition, before) in rig.state.partitions().iter().zip(epochs) {
        assert_eq!((partition.epoch.0, partition.lost), (before + 1, 0));
    }
}

#[test]
fn a_copy_that_nobody_waited_for_never_takes_over_by_itself() {
    let mut rig = Rig::new(2, &["a", "a", "b"]);
    rig.set(HOME_REGION, "a");
    rig.set(REGION_COPIES, "1");
    rig.settle();
    rig.down(1);
    rig.settle();
    let partitions = rig.state.partitions();
    assert!(partitions.iter().all(|p| p.primary.is_some_and(|primary| primary.node == NodeId(2))));
    rig.down(2);
    let spared: BTreeSet<PartitionId> = (0..PARTITIONS).map(PartitionId).collect();
    for (id, partition) in (0..).map(PartitionId).zip(rig.state.partitions()) {
        let holders: Vec<NodeId> = spare_holders(&rig.state, partition).map(|r| r.node).collect();
        assert_eq!(holders, [NodeId(3)], "{id}");
    }
    rig.intentions.found.spared = spared;
    rig.settle();
    assert!(rig.state.partitions().iter().all(|partition| partition.primary.is_none()));
    // Those at home come back empty: it still is not theirs to decide.
    rig.boot(1, "a");
    rig.settle();
    assert!(rig.state.partitions().iter().all(|partition| partition.primary.is_none()));
    rig.intentions.found.spared.clear();
    rig.settle();
    assert!(
        rig.state.partitions().iter().all(|partition| partition.primary.is_some() && partition.lost == 1)
    );
}

#[test]
fn the_last_recoveries_are_remembered_and_nothing_else_is_one() {
    let mut rig = Rig::new(1, &["a"]);
    for at_ms in 1..=20 {
        let times = with_recovery(&rig.state, at_ms);
        rig.set(RECOVERIES, &times);
    }
    let known: Vec<u64> = (0..=21).filter(|at_ms| is_recovery(&rig.state, *at_ms)).collect();
    assert_eq!(known, (5..=20).collect::<Vec<_>>());
}
