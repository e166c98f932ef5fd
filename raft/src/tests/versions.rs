//! Members of which some read only the version before the present one: all must be able to read what all must read.

use super::{
    faulty_disk::{FaultyDisk, versions_in},
    group::{Group, LIMIT, command, name, set},
};
use crate::{
    SNAPSHOT_FILE,
    disk::{Disk, MemoryDisk, Space},
    error::ProposeError,
    metadata::{Agreed, Step},
    snapshot::Applied,
    state_machine::StateMachine,
    types::{Entry, LogId, Proposal},
};
use openraft::{CommittedLeaderId, EntryPayload, storage::RaftStateMachine};
use predis_meta::{
    Action, Addresses, InSyncChange, MetaCommand, NewMember, Outcome, PlacementChange, PlacementKind,
    Replica, VERSION, encode_command,
};
use predis_types::{Incarnation, NodeId, PartitionId, probe::NoProbe};
use std::{collections::BTreeSet, sync::Arc};

const OLD: u32 = VERSION - 1;

fn replica(node: u64, incarnation: u64) -> Replica {
    Replica { node: NodeId(node), incarnation: Incarnation(incarnation) }
}

fn addresses(node: u64) -> Addresses {
    Addresses { resp: "a:1".into(), grpc: name(node), metrics: "a:3".into() }
}

fn issue(node: u64) -> MetaCommand {
    command(Action::IssueNode {
        member: NewMember {
            id: NodeId(node),
            name: format!("n{node}"),
            addrs: addresses(node),
            zone: String::new(),
            region: String::new(),
            weight: 100,
            metadata_version: OLD,
        },
    })
}

fn boot(node: u64, incarnation: u64, metadata_version: u32) -> MetaCommand {
    command(Action::Boot {
        node: NodeId(node),
        incarnation: Incarnation(incarnation),
        addrs: addresses(node),
        zone: String::new(),
        region: String::new(),
        metadata_version,
    })
}

impl Group {
    async fn agree(&self, member: usize, command: &MetaCommand) -> Agreed {
        self.members[member].propose(command, LIMIT).await.unwrap()
    }

    /// The present epoch and version of a partition, as a command would name them.
    fn place(&self, partition: u16, seats: &[u64], kind: PlacementKind) -> MetaCommand {
        let now = self.members[0].published().state.partition(PartitionId(partition)).unwrap().clone();
        let replicas = seats.iter().copied().map(NodeId).collect();
        let partition = PartitionId(partition);
        let change = PlacementChange { partition, epoch: now.epoch, version: now.version, replicas, kind };
        command(Action::Place { changes: vec![change] })
    }

    fn in_sync(&self, sets: &[(u16, &[Replica])]) -> MetaCommand {
        let state = self.members[0].published().state;
        let change = |(partition, in_sync): &(u16, &[Replica])| {
            let partition = PartitionId(*partition);
            let now = state.partition(partition).unwrap();
            let in_sync = in_sync.iter().copied().collect();
            InSyncChange { partition, epoch: now.epoch, version: now.version, in_sync }
        };
        command(Action::ChangeInSync { changes: sets.iter().map(change).collect() })
    }

    /// Waits until all members have applied the log up to here, and compares what came of it.
    async fn converge(&self, index: u64) {
        let mut digests = BTreeSet::new();
        for member in &self.members {
            let mut watch = member.watch();
            let seen = tokio::time::timeout(LIMIT, watch.wait_for(|published| published.index >= index));
            digests.insert(seen.await.expect("a member has stopped").unwrap().state.digest());
        }
        assert_eq!(digests.len(), 1, "at {index}");
    }

    /// The versions of everything that a member's disk holds.
    fn versions_kept(&self, member: usize) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let disk = &self.disks[member].disk;
        let entries = disk.range(Space::Log, &[], &[0xff; 9]).unwrap();
        let snapshot = disk.get_file(SNAPSHOT_FILE).unwrap().unwrap_or_default();
        let log = entries.iter().flat_map(|(_, value)| versions_in(value)).collect();
        (log, versions_in(&snapshot).collect())
    }

    /// Has one setting after another agreed on, until every disk holds log and snapshot in this version alone.
    async fn write_until_all_is_of(&self, version: u32) -> u64 {
        for round in 0..1000 {
            let index = self.agree(round % self.members.len(), &set("round", &round.to_string())).await.index;
            let only = BTreeSet::from([version]);
            if (0..self.members.len())
                .all(|member| self.versions_kept(member) == (only.clone(), only.clone()))
            {
                return index;
            }
        }
        panic!("something of another version than {version} stays");
    }

    async fn add(&mut self, node: u64, reads: u32) {
        let disk = FaultyDisk::default();
        disk.read_up_to(reads);
        let member = self.member(node, &disk).await;
        self.members[0].add_learner(NodeId(node), &name(node)).await.unwrap();
        self.members.push(member);
        self.disks.push(disk);
    }
}

/// Three members of the old version, of which the first two were replaced since.
async fn two_of_three_replaced() -> Group {
    let group = Group::start_at(3, OLD).await;
    for node in 2..=3 {
        group.agree(0, &issue(node)).await;
        group.agree(0, &boot(node, 1, OLD)).await;
    }
    for node in 1..=2 {
        group.disks[node as usize - 1].read_up_to(VERSION);
        group.agree(0, &boot(node, 2, VERSION)).await;
    }
    let restart = group.place(0, &[3, 1, 2], PlacementKind::Restart { to: replica(3, 1) });
    group.agree(0, &restart).await;
    group
}

#[tokio::test]
async fn members_of_two_versions_stay_in_agreement_until_the_last_one_is_replaced() {
    let mut group = two_of_three_replaced().await;
    let agreed = group.agree(1, &group.in_sync(&[(0, &[replica(3, 1), replica(1, 2)])])).await;
    assert_eq!(agreed.outcome, Outcome::InSync { refused: vec![] });
    let batch = group.in_sync(&[(0, &[replica(3, 1)]), (1, &[replica(1, 2)])]);
    for member in &group.members {
        let refused = member.propose(&batch, LIMIT).await.unwrap_err();
        assert!(matches!(refused, ProposeError::NotYet(_)), "{refused}");
    }
    group.write_until_all_is_of(OLD).await;
    group.add(4, OLD).await;
    group.converge(group.write_until_all_is_of(OLD).await).await;
    assert_eq!(group.members[3].published().state.level(), OLD);

    group.disks.iter().for_each(|disk| disk.read_up_to(VERSION));
    group.agree(2, &boot(3, 2, VERSION)).await;
    assert_eq!(group.members[2].published().state.level(), VERSION);
    let promote = group.place(0, &[1, 2, 3], PlacementKind::Promote { to: replica(1, 2) });
    group.agree(0, &promote).await;
    let batch = group.in_sync(&[(0, &[replica(1, 2), replica(2, 2)]), (1, &[replica(1, 2)])]);
    let agreed = group.agree(1, &batch).await;
    assert_eq!(agreed.outcome, Outcome::InSync { refused: vec![PartitionId(1)] });
    group.converge(group.write_until_all_is_of(VERSION).await).await;

    // Whoever reads no more than the old version is lost from here on, and shows that the disks above were watching.
    group.add(5, OLD).await;
    let failed = tokio::time::timeout(LIMIT, group.members[4].failed()).await.unwrap();
    assert!(failed.contains("version 4 for one that reads 3"), "{failed}");
}

#[tokio::test]
async fn a_leader_writes_what_all_read_whatever_it_was_given() {
    let group = two_of_three_replaced().await;
    let text = String::from_utf8(encode_command(&set("key", "newest"))).unwrap();
    assert!(text.contains("\"version\":4"));
    let leader = group.leader_among(&[0, 1, 2]).await;
    let Step::Done((index, _)) =
        group.members[leader].propose_here(Proposal { command: text, term: None }).await.unwrap()
    else {
        panic!("leadership was lost")
    };
    group.converge(index).await;
    assert_eq!(group.versions_kept(2).0, [OLD].into());
}

fn entry_of_version_9() -> Entry {
    let command = r#"{"version":9,"body":{}}"#.to_owned();
    Entry {
        log_id: LogId::new(CommittedLeaderId::new(1, 1), 1),
        payload: EntryPayload::Normal(Proposal { command, term: None }),
    }
}

#[tokio::test]
async fn what_is_too_new_stops_a_member_which_names_both_versions() {
    let disk = Arc::new(MemoryDisk::new());
    let mut machine = StateMachine::open(NodeId(1), disk.clone(), Arc::new(NoProbe)).unwrap();
    let words =
        "it was written in version 9 of the metadata, and this program reads versions 1 to 4: upgrade it";
    let error = machine.apply([entry_of_version_9()]).await.unwrap_err().to_string();
    assert!(error.contains(&format!("entry 1: {words}")), "{error}");

    let (group, text) = (Group::start(1).await, r#"{"version":9,"body":{}}"#.to_owned());
    let refused = group.members[0].propose_here(Proposal { command: text, term: None }).await;
    assert!(matches!(refused, Err(ProposeError::Invalid(reason)) if reason == words));

    let written = String::from_utf8(Applied::default().encode().unwrap()).unwrap();
    let newer = written[9..].replace("\\\"version\\\":3", "\\\"version\\\":9");
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(newer.as_bytes());
    disk.put_file(SNAPSHOT_FILE, format!("{sum:08x}\n{newer}").into_bytes()).await.unwrap();
    let Err(error) = StateMachine::open(NodeId(1), disk, Arc::new(NoProbe)) else { panic!("it was read") };
    assert_eq!(error.to_string(), format!("file snapshot: snapshot: {words}"));
}
