//! Calls that a courier carries: late, twice, and without an answer.

use super::group::{Group, LIMIT, Switchboard, name, set};
use crate::{
    disk::Pending,
    transport::{BoxedStream, CallError, Channels, Connector, Courier, Fate},
};
use predis_meta::encode_command;
use predis_proto::raft::{ProposeRequest, raft_client::RaftClient};
use predis_types::ClusterId;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Gives every call the same fate, and remembers them.
struct Same {
    fate: Fate,
    seen: Mutex<Vec<String>>,
}

impl Courier for Same {
    fn fate(&self, addr: &str, method: &str) -> Fate {
        self.seen.lock().unwrap().push(format!("{addr}{method}"));
        self.fate
    }
}

struct Carried(Switchboard, Arc<Same>);

impl Connector for Carried {
    fn connect(&self, addr: &str) -> Pending<'static, io::Result<BoxedStream>> {
        self.0.connect(addr)
    }

    fn courier(&self) -> Option<Arc<dyn Courier>> {
        Some(self.1.clone())
    }
}

/// Proposes a value by a call of this fate; gives what came of the call and the courier.
async fn propose(group: &Group, fate: Fate, limit: Duration) -> (Result<(), CallError>, Arc<Same>) {
    let courier = Arc::new(Same { fate, seen: Mutex::default() });
    let channels = Channels::new(Arc::new(Carried(group.board.clone(), courier.clone())));
    let command = encode_command(&set("key", "value"));
    let request = ProposeRequest { cluster: ClusterId(7).to_string(), command: command.into() };
    let called = channels
        .call(&name(1), limit, |line| async move { RaftClient::new(line).propose(request).await })
        .await;
    (called.map(drop), courier)
}

async fn applied(group: &Group, index: u64) {
    let mut published = group.members[0].watch();
    let applied = published.wait_for(|published| published.index >= index);
    tokio::time::timeout(LIMIT, applied).await.expect("it is applied in time").unwrap();
}

#[tokio::test]
async fn a_call_that_comes_twice_is_carried_out_twice_and_answered_once() {
    let group = Group::start(1).await;
    let before = group.members[0].published().index;
    let fate = Fate { again: Some(Duration::from_millis(1)), ..Fate::default() };
    let (called, courier) = propose(&group, fate, LIMIT).await;
    called.unwrap();
    applied(&group, before + 2).await;
    assert_eq!(*courier.seen.lock().unwrap(), ["node-1:1/predis.raft.v1.Raft/Propose"]);
}

#[tokio::test]
async fn a_call_without_an_answer_is_carried_out_all_the_same() {
    let group = Group::start(1).await;
    let before = group.members[0].published().index;
    let fate = Fate { unanswered: true, ..Fate::default() };
    let (called, _) = propose(&group, fate, Duration::from_millis(300)).await;
    assert!(matches!(called, Err(CallError::TimedOut { .. })), "{called:?}");
    applied(&group, before + 1).await;
}

#[tokio::test]
async fn a_call_that_is_held_back_longer_than_its_caller_waits_never_leaves() {
    let group = Group::start(1).await;
    let before = group.members[0].published().index;
    let fate = Fate { late: Duration::from_secs(3600), ..Fate::default() };
    let (called, _) = propose(&group, fate, Duration::from_millis(50)).await;
    assert!(matches!(called, Err(CallError::TimedOut { .. })), "{called:?}");
    assert_eq!(group.members[0].published().index, before);
}
