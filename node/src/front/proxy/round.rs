//! A round at the proxy endpoint: requests in program order, those between two barriers at once.
//!
//! ```text
//! GET a  SET b  GET a | DBSIZE | GET c      a and b at once where they are in different partitions, then DBSIZE, ...
//! ```
//! Requests on one partition are carried out one after the other, so those on one key keep their order. Whatever is
//! not on the keys of one partition is a barrier.

use super::Upstream;
use crate::access::Identity;
use crate::front::connection::Connection;
use crate::front::dispatch::{Plan, plan};
use crate::front::error::Error;
use crate::serving::Serving;
use crate::shards::{Answer, Batch, Call, Work};
use bytes::Bytes;
use futures_util::future::join_all;
use predis_resp::{CommandId, CommandSpec, Reply, Retry};
use predis_types::PartitionId;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Whether the proxy puts a command together that concerns several partitions: the multi-key commands that Redis
/// Cluster's clients split too, and those over all keys.
pub(in crate::front) fn is_gathered(id: CommandId) -> bool {
    use CommandId::*;
    matches!(
        id,
        Mget | Mset
            | Del
            | Unlink
            | Exists
            | Touch
            | Dbsize
            | Flushall
            | Flushdb
            | Keys
            | Randomkey
            | Scan
            | PartitionFlush
            | PartitionKeys
            | PartitionLen
            | PartitionRandomkey
            | PartitionScan
    )
}

/// Requests between two barriers, by partition and with their places in the round.
#[derive(Default)]
struct Segment {
    calls: BTreeMap<PartitionId, Vec<(usize, Call)>>,
    count: usize,
}

impl Connection {
    /// Executes requests of a client that knows nothing of clusters, and adds their replies to the output.
    pub(in crate::front) async fn execute_through(&mut self, requests: Vec<Vec<Bytes>>) -> io::Result<()> {
        let partitions = self.front.serving.shards.partition_count();
        let mut since_us = self.front.serving.clock.mono_us();
        let mut segment = Segment::default();
        for args in requests {
            let identity = self.session.identity().as_ref().cloned();
            let planned = plan(self.session.door, identity.as_deref(), args);
            if let Plan::Keys(call, slot) = planned {
                let home = identity.as_ref().and_then(|identity| identity.gate.colocated);
                let partition = home.unwrap_or_else(|| partitions.partition_of(slot));
                segment.calls.entry(partition).or_default().push((segment.count, call));
                segment.count += 1;
                continue;
            }
            self.finish_segment(&mut segment, &mut since_us).await?;
            match self.admit(planned, identity.as_deref(), since_us) {
                Plan::Node(call) => self.execute_here(&call, &mut since_us).await?,
                Plan::Gathered(call) => self.gather(call, &mut since_us).await?,
                Plan::Refused { spec, error } => self.refuse(spec, error).await?,
                Plan::Keys(..) => {}
            }
            if self.session.is_closing() {
                return Ok(());
            }
        }
        self.finish_segment(&mut segment, &mut since_us).await
    }

    async fn gather(&mut self, call: Call, since_us: &mut u64) -> io::Result<()> {
        let reply = match self.front.proxy.upstream(&self.session) {
            Ok(upstream) => Ok(upstream.call(&call.args).await),
            Err(error) => Err(error),
        };
        self.answer(vec![(call.spec, reply)], since_us).await
    }

    async fn finish_segment(&mut self, segment: &mut Segment, since_us: &mut u64) -> io::Result<()> {
        let Segment { calls, count } = std::mem::take(segment);
        if count == 0 {
            return Ok(());
        }
        let upstream = match self.front.proxy.upstream(&self.session) {
            Ok(upstream) => upstream,
            Err(error) => return self.refuse(None, error).await,
        };
        let (serving, identity) = (&self.front.serving, self.session.identity().as_ref().cloned());
        let Some(identity) = identity else { return self.refuse(None, Error::NotAuthenticated).await };
        let runs = calls.into_iter().map(|(partition, calls)| {
            on_partition(serving, &upstream, &identity, partition, calls, *since_us)
        });
        let mut replies: Vec<Option<(&'static CommandSpec, Result<Reply, Error>)>> =
            (0..count).map(|_| None).collect();
        for (place, spec, reply) in join_all(runs).await.into_iter().flatten() {
            replies[place] = Some((spec, reply));
        }
        self.answer(replies.into_iter().flatten().collect(), since_us).await
    }

    /// Counts and says replies that came at the same time.
    async fn answer(
        &mut self,
        replies: Vec<(&'static CommandSpec, Result<Reply, Error>)>,
        since_us: &mut u64,
    ) -> io::Result<()> {
        let nanos = self.elapsed_ns(since_us) / replies.len().max(1) as u64;
        for (spec, reply) in replies {
            match reply {
                Ok(reply) => {
                    self.session.note_command(spec.id);
                    self.count(Some((spec.id, 1)), nanos);
                    self.say(spec, &reply).await?;
                }
                Err(error) => self.refuse(Some(spec), error).await?,
            }
        }
        Ok(())
    }
}

/// Carries out calls on one partition, in their order: here as far as this node serves it, and elsewhere otherwise.
async fn on_partition(
    serving: &Arc<Serving>,
    upstream: &Upstream,
    identity: &Identity,
    partition: PartitionId,
    calls: Vec<(usize, Call)>,
    now_us: u64,
) -> Vec<(usize, &'static CommandSpec, Result<Reply, Error>)> {
    let own = serving.topology.load().owner(partition).is_some_and(|o| o.primary == Some(serving.node()));
    let (mut calls, mut refused) = (calls, Vec::new());
    if own {
        // What another node executes is counted there.
        let admitted = calls.iter().take_while(|_| identity.gate.admit(now_us).is_ok()).count();
        refused = calls.split_off(admitted);
    }
    let mut answers = Vec::new().into_iter();
    if own && !calls.is_empty() {
        let work = Work::Commands(calls.iter().map(|(_, call)| call.clone()).collect());
        let batch = Batch { partition, tenant: identity.tenant, work, reader: None, from_copy: false };
        answers = serving.shards.submit(batch).answers().await.into_iter();
    }
    let mut replies = Vec::with_capacity(calls.len());
    for (place, call) in calls {
        let reply = match answers.next() {
            Some(Answer::Reply(reply)) => reply,
            Some(Answer::NoReplicas) => Reply::from(Error::NoReplicas),
            // It was carried out, and may last: only what may be repeated is sent elsewhere.
            Some(Answer::Withheld) if call.spec.retry_of(&call.args) == Retry::Ambiguous => {
                Reply::from(Error::Withheld)
            }
            _ => upstream.call(&call.args).await,
        };
        replies.push((place, call.spec, Ok(reply)));
    }
    let over = |(place, call): (usize, Call)| (place, call.spec, Err(Error::OverQuota(identity.gate.over())));
    replies.extend(refused.into_iter().map(over));
    replies
}
