//! One round: requests in program order, adjacent ones on the same partition as one batch under one lock.
//!
//! ```text
//! GET a1  GET a2 | PING | SET b  GET b | GET a3       four groups, executed one after the other
//! ```
//! A group is begun only after the one before it was carried out, so no command overtakes an earlier one; replies that
//! wait until what they saw is committed wait together. Time is read once a group; its commands share it evenly.

use super::commands::{self, Request};
use super::connection::Connection;
use super::dispatch::{Plan, plan};
use super::error::{Error, refusal};
use super::session::Door;
use crate::access::Identity;
use crate::shards::{Answer, Batch, Call, Completion, Work};
use bytes::Bytes;
use predis_resp::{CommandId, CommandSpec, Flag, Reply};
use predis_types::{PartitionId, Slot};
use std::{collections::VecDeque, io};

/// Adjacent requests on one partition.
struct Group {
    partition: PartitionId,
    calls: Vec<Call>,
    slots: Vec<Slot>,
    /// By which id the client keeps copies of what it reads, if it does.
    tracked: Option<u64>,
    /// Whether a replica's copy will do for them.
    from_copy: bool,
}

/// A group that was carried out, and what its replies wait for.
struct Owed {
    partition: PartitionId,
    specs: Vec<&'static CommandSpec>,
    slots: Vec<Slot>,
    completion: Completion,
}

impl Connection {
    /// Executes requests in order and adds their replies to the output; stops behind one that ends the
    /// connection.
    pub(super) async fn execute(&mut self, requests: Vec<Vec<Bytes>>) -> io::Result<()> {
        if self.session.door == Door::Proxy {
            return self.execute_through(requests).await;
        }
        let partitions = self.front.serving.shards.partition_count();
        let mut since_us = self.front.serving.clock.mono_us();
        let mut group: Option<Group> = None;
        let mut owed = VecDeque::new();
        let mut identity = self.session.identity();
        for args in requests {
            let planned =
                self.admit(plan(Door::Resp, identity.as_deref(), args), identity.as_deref(), since_us);
            if let Plan::Keys(call, slot) = planned {
                let home = identity.as_ref().and_then(|identity| identity.gate.colocated);
                let partition = home.unwrap_or_else(|| partitions.partition_of(slot));
                let tracked = self.session.tracked();
                // Whoever keeps copies is told of changes by primaries alone.
                let from_copy = self.session.is_readonly()
                    && call.spec.flags.contains(Flag::Readonly)
                    && self.session.tracking_id().is_none();
                let belongs = |group: &Group| {
                    (group.partition, group.tracked, group.from_copy) == (partition, tracked, from_copy)
                };
                if !group.as_ref().is_none_or(belongs) {
                    self.begin(&mut group, &mut owed, &mut since_us).await?;
                }
                let group = group.get_or_insert_with(|| Group {
                    partition,
                    calls: Vec::new(),
                    slots: Vec::new(),
                    tracked,
                    from_copy,
                });
                group.calls.push(call);
                group.slots.push(slot);
                continue;
            }
            self.begin(&mut group, &mut owed, &mut since_us).await?;
            self.finish(&mut owed, &mut since_us).await?;
            match planned {
                Plan::Node(call) => {
                    self.execute_here(&call, &mut since_us).await?;
                    // It may have said who it is.
                    identity = self.session.identity();
                }
                Plan::Refused { spec, error } => self.refuse(spec, error).await?,
                Plan::Keys(..) | Plan::Gathered(_) => {}
            }
            if self.session.is_closing() {
                return Ok(());
            }
        }
        self.begin(&mut group, &mut owed, &mut since_us).await?;
        self.finish(&mut owed, &mut since_us).await
    }

    /// The plan, unless the tenant has used up its quota of commands.
    pub(super) fn admit(&self, planned: Plan, identity: Option<&Identity>, now_us: u64) -> Plan {
        let (Some(identity), Plan::Keys(call, _) | Plan::Node(call) | Plan::Gathered(call)) =
            (identity, &planned)
        else {
            return planned;
        };
        let spec = call.spec;
        match identity.gate.admit(now_us) {
            // Who it is may always be said.
            Err(over) if !spec.flags.contains(Flag::NoAuth) => {
                Plan::Refused { spec: Some(spec), error: Error::OverQuota(over) }
            }
            _ => planned,
        }
    }

    /// Has a shard execute the group, if there is one; its replies are given at once unless earlier ones are owed, or
    /// they have to wait themselves.
    async fn begin(
        &mut self,
        group: &mut Option<Group>,
        owed: &mut VecDeque<Owed>,
        since_us: &mut u64,
    ) -> io::Result<()> {
        let Some(Group { partition, calls, slots, tracked, from_copy }) = group.take() else { return Ok(()) };
        let specs: Vec<&'static CommandSpec> = calls.iter().map(|call| call.spec).collect();
        let (tenant, work) = (self.session.tenant(), Work::Commands(calls));
        let batch = Batch { partition, tenant, work, reader: tracked, from_copy };
        let completion = match self.front.serving.shards.submit(batch) {
            // Not carried out yet: nothing may overtake it.
            Completion::Pending(future) => Completion::Ready(future.await),
            completion => completion,
        };
        let owing = Owed { partition, specs, slots, completion };
        match owing.completion {
            Completion::Ready(_) if owed.is_empty() => self.reply(owing, since_us).await,
            _ => {
                owed.push_back(owing);
                Ok(())
            }
        }
    }

    /// Gives all replies that are owed, in order.
    async fn finish(&mut self, owed: &mut VecDeque<Owed>, since_us: &mut u64) -> io::Result<()> {
        while let Some(owing) = owed.pop_front() {
            self.reply(owing, since_us).await?;
        }
        Ok(())
    }

    async fn reply(&mut self, owed: Owed, since_us: &mut u64) -> io::Result<()> {
        let Owed { partition, specs, slots, completion } = owed;
        let answers = completion.answers().await;
        let nanos = self.elapsed_ns(since_us) / specs.len().max(1) as u64;
        let mut run: Option<(CommandId, u64)> = None;
        for ((answer, spec), slot) in answers.into_iter().zip(specs).zip(slots) {
            match answer {
                Answer::Reply(reply) => {
                    run = Some(match run {
                        Some((id, count)) if id == spec.id => (id, count + 1),
                        other => {
                            self.count(other, nanos);
                            (spec.id, 1)
                        }
                    });
                    self.session.note_command(spec.id);
                    if spec.flags.contains(Flag::Write) {
                        self.session.note_write(partition);
                    }
                    self.say(spec, &reply).await?;
                }
                refused => {
                    let topology = self.front.serving.topology.load_full();
                    let error =
                        refusal(&refused, (slot, partition), &topology).unwrap_or(Error::NotHere(spec.name));
                    self.refuse(Some(spec), error).await?;
                }
            }
        }
        self.count(run, nanos);
        Ok(())
    }

    pub(super) async fn execute_here(&mut self, call: &Call, since_us: &mut u64) -> io::Result<()> {
        self.session.note_command(call.spec.id);
        let request =
            Request { front: &self.front, session: &self.session, spec: call.spec, args: &call.args };
        let reply = commands::run(&request).await.unwrap_or_else(|error| {
            self.front.audit(&self.session, &error);
            Reply::from(error)
        });
        let nanos = self.elapsed_ns(since_us);
        self.count(Some((call.spec.id, 1)), nanos);
        self.say(call.spec, &reply).await
    }

    /// Adds the reply of a command that was executed.
    pub(super) async fn say(&mut self, spec: &CommandSpec, reply: &Reply) -> io::Result<()> {
        if let Reply::Error(message) = reply {
            self.front.stats.stripe(self.session.id).failed(spec.id, message);
        }
        reply.encode(self.session.protocol(), &mut self.output);
        self.relieve().await
    }

    /// Adds the error of a command that was not executed.
    pub(super) async fn refuse(&mut self, spec: Option<&CommandSpec>, error: Error) -> io::Result<()> {
        self.front.audit(&self.session, &error);
        let reply = Reply::from(error);
        if let Reply::Error(message) = &reply {
            let stripe = self.front.stats.stripe(self.session.id);
            match spec {
                Some(spec) => stripe.rejected(spec.id, message),
                None => stripe.error(message),
            }
        }
        reply.encode(self.session.protocol(), &mut self.output);
        self.relieve().await
    }

    pub(super) fn count(&self, run: Option<(CommandId, u64)>, nanos: u64) {
        if let Some((id, calls)) = run {
            self.front.stats.stripe(self.session.id).executed(id, calls, nanos);
        }
    }

    /// Nanoseconds since the last call.
    pub(super) fn elapsed_ns(&self, since_us: &mut u64) -> u64 {
        let now_us = self.front.serving.clock.mono_us();
        let elapsed_us = now_us.saturating_sub(*since_us);
        *since_us = now_us;
        elapsed_us.saturating_mul(1000)
    }
}
