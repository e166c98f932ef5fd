//! Running a batch on its shard: the decision before, the commands, the decision after.
//!
//! One lock for the whole of a batch, unless it adds so much that room must be made in between. Does not know
//! how victims are chosen, nor what commands do.

use super::{
    Shards, admission,
    batch::{Answer, Batch, Call, Work},
    partition::{Guarded, Leading, Partition},
    put,
};
use bytes::Bytes;
use predis_policy::Pool;
use predis_replica::{Access, Reading, access, may_reply};
use predis_resp::{Flag, Reply};
use predis_shard::{Context, Discarded, Effects, Shard};
use predis_types::{Epoch, PartitionId, Sequence, probe::Event};
use std::sync::atomic::{Ordering, fence};

/// How far beyond the budget one batch may get before room is made, in bytes.
const OVERSHOOT_BYTES: u64 = 1024 * 1024;

/// A batch on its way.
pub(super) struct Run {
    batch: Batch,
    /// Of what was carried out or refused so far.
    answers: Vec<Answer>,
    /// How many of the answers are of work that was carried out.
    carried_out: usize,
    /// The epoch of the shard that the first of it ran on.
    executed: Option<Epoch>,
    /// The last change that it may have seen, if its answers have to wait until that is committed.
    observed: Option<Sequence>,
    /// What a flush removed, until the partition is unlocked.
    discarded: Option<Discarded>,
}

/// How far a run got.
pub(super) enum Step {
    /// It has all its answers.
    Finished,
    /// It is carried out, but what it saw is not committed yet.
    Uncommitted,
    /// A hand-over holds the rest of it.
    Held,
}

/// What one hold of the partition's lock came to.
enum Hold {
    Done(Step),
    /// The tenant is over its budget, or was: go on, or finish, once there is room.
    MakeRoom,
}

impl Run {
    pub(super) fn new(batch: Batch) -> Run {
        let answers = Vec::with_capacity(batch.work.len());
        Run { batch, answers, carried_out: 0, executed: None, observed: None, discarded: None }
    }

    pub(super) fn partition(&self) -> PartitionId {
        self.batch.partition
    }

    pub(super) fn into_answers(self) -> Vec<Answer> {
        self.answers
    }

    /// Gives this answer to all that was not carried out.
    pub(super) fn refuse_rest(&mut self, answer: &Answer) {
        self.answers.resize(self.batch.work.len(), answer.clone());
    }

    fn is_finished(&self) -> bool {
        self.answers.len() == self.batch.work.len()
    }

    /// Takes back the answers of all that was carried out: it may not be acknowledged.
    fn withhold(&mut self) {
        self.answers[..self.carried_out].fill(Answer::Withheld);
    }

    /// How many bytes its arguments have.
    fn size_bytes(&self) -> usize {
        match &self.batch.work {
            Work::Commands(calls) => calls.iter().flat_map(|call| &call.args).map(|arg| arg.len()).sum(),
            Work::Put(keys) => keys.iter().map(|entry| entry.key.len() + entry.value.size_bytes()).sum(),
            _ => 0,
        }
    }
}

impl Shards {
    /// Goes on with a run until it is finished or held.
    pub(super) fn advance(&self, run: &mut Run) -> Step {
        let Some(partition) = self.partition(run.batch.partition) else {
            run.refuse_rest(&Answer::ClusterDown);
            return Step::Finished;
        };
        loop {
            let hold = self.hold(partition, run);
            run.discarded = None;
            match hold {
                Hold::Done(step) => return step,
                Hold::MakeRoom => self.make_room(run.batch.tenant, run.size_bytes()),
            }
            if run.is_finished() {
                return self.verify(run);
            }
        }
    }

    /// Asks again, with everything read anew, whether what was carried out may be acknowledged, and whether it may
    /// be now.
    pub(super) fn verify(&self, run: &mut Run) -> Step {
        match self.partition(run.batch.partition) {
            Some(partition) => self.verify_locked(&partition.lock(), run),
            None => Step::Finished,
        }
    }

    fn verify_locked(&self, guarded: &Guarded, run: &mut Run) -> Step {
        let Some(epoch) = run.executed else { return Step::Finished };
        if !may_reply(&self.look(guarded), &guarded.owner, epoch) {
            run.withhold();
            return Step::Finished;
        }
        let committed = guarded.leading().map_or(Sequence(0), |leading| leading.lead.committed());
        if run.observed.is_some_and(|observed| observed > committed) {
            return Step::Uncommitted;
        }
        if let Some(sequence) = run.observed.filter(|_| self.probe.is_watching()) {
            let partition = run.batch.partition;
            self.probe.event(Event::Acknowledged { partition, epoch, sequence: sequence.0 });
        }
        Step::Finished
    }

    fn hold(&self, partition: &Partition, run: &mut Run) -> Hold {
        let mut guarded = partition.lock();
        let access = access(&self.look(&guarded), &guarded.owner);
        let reading = if run.batch.from_copy { self.reading(&guarded, access) } else { Reading::As(access) };
        match reading {
            Reading::Copy => self.read_copy(&mut guarded, run),
            Reading::TooOld => run.refuse_rest(&Answer::TooOld),
            Reading::As(Access::Wait) => return Hold::Done(Step::Held),
            Reading::As(Access::Moved(node)) => run.refuse_rest(&Answer::Moved(node)),
            Reading::As(Access::ClusterDown) => run.refuse_rest(&Answer::ClusterDown),
            Reading::As(Access::TryAgain) => run.refuse_rest(&Answer::TryAgain),
            Reading::As(Access::Serve { .. }) => {
                let over = self.carry_out(partition.id, &mut guarded, run);
                if over || !run.is_finished() {
                    return Hold::MakeRoom;
                }
            }
        }
        Hold::Done(self.verify_locked(&guarded, run))
    }

    /// Carries out what is left of the run on a copy that is not served, which stays as it is.
    fn read_copy(&self, guarded: &mut Guarded, run: &mut Run) {
        let (now, rng) = (self.now(), guarded.random());
        let (tenants, tenant) = (self.tenants.load(), run.batch.tenant);
        if let Work::Commands(calls) = &run.batch.work
            && let Some(copy) = &mut guarded.copy
            && let Some(pool) = copy.pool(&tenants, tenant)
        {
            let (shard, cx) = copy.on(tenant, pool, now, rng);
            let left = &calls[run.answers.len()..];
            let replies = left.iter().map(|call| shard.read(&cx, call.spec, &call.args));
            run.answers.extend(replies.map(|reply| reply.map_or(Answer::TryAgain, Answer::Reply)));
        }
        run.refuse_rest(&Answer::TryAgain);
    }

    /// Carries out what is left of the run, or some of it; whether the tenant is over its budget then.
    fn carry_out(&self, id: PartitionId, guarded: &mut Guarded, run: &mut Run) -> bool {
        let (now, rng) = (self.now(), guarded.random());
        let tenants = self.tenants.load();
        let (Some(copy), Some(pool)) = (&mut guarded.copy, tenants.pool(run.batch.tenant)) else {
            run.refuse_rest(&Answer::TryAgain);
            return false;
        };
        let Some(Leading { lead, .. }) = copy.leading() else {
            run.refuse_rest(&Answer::TryAgain);
            return false;
        };
        run.executed.get_or_insert(lead.epoch());
        let quorum = tenants.is_quorum(run.batch.tenant);
        let writable = !quorum || lead.members().in_sync.len() >= self.min_in_sync.load(Ordering::Relaxed);
        let mut effects = Effects::new();
        let (shard, cx) = copy.on(run.batch.tenant, pool, now, rng);
        match &run.batch.work {
            Work::Commands(calls) => {
                let begun = run.answers.len();
                run_commands(shard, &cx, (calls, writable), &mut run.answers, &mut effects);
                if let (Some(client), Some(sink)) = (run.batch.reader, &self.sink) {
                    let read = calls[begun..run.answers.len()].iter().flat_map(keys_read);
                    read.for_each(|key| sink.read(id, run.batch.tenant, key, client));
                }
            }
            Work::Flush | Work::Put(_) if !writable => run.answers.push(Answer::NoReplicas),
            Work::Flush => {
                run.discarded = Some(shard.flush(&cx, &mut effects));
                run.answers.push(Answer::Done);
            }
            other => run.answers.push(ask(shard, &cx, other, &mut effects)),
        }
        run.carried_out = run.answers.len();
        self.deliver(id, copy, run.batch.tenant, now.mono_us, &effects);
        run.observed = copy.leading().filter(|_| quorum).map(|leading| leading.lead.last());
        !effects.is_empty() && is_over(pool)
    }
}

/// The keys of a call that only reads.
fn keys_read(call: &Call) -> impl Iterator<Item = &Bytes> {
    let reads = call.spec.flags.contains(Flag::Readonly);
    let keys = reads.then(|| call.spec.keys_of(&call.args).filter_map(|index| call.args.get(index)));
    keys.into_iter().flatten()
}

/// Runs the calls that have no answer yet, until all have one or too much was added; those that write only if that is
/// `writable`.
fn run_commands(
    shard: &mut Shard,
    cx: &Context<'_>,
    (calls, writable): (&[Call], bool),
    answers: &mut Vec<Answer>,
    effects: &mut Effects,
) {
    let enough = cx.pool.budget().saturating_add(OVERSHOOT_BYTES);
    for call in &calls[answers.len()..] {
        let before = effects.len();
        if !writable && call.spec.flags.contains(Flag::Write) {
            answers.push(Answer::NoReplicas);
            continue;
        }
        let reply = match admission::refuses(shard, cx, call, effects) {
            true => Reply::error(admission::OOM),
            false => shard.execute(cx, call.spec, &call.args, effects),
        };
        answers.push(Answer::Reply(reply));
        if effects.len() > before && cx.pool.used() > enough {
            return;
        }
    }
}

/// Carries out work that has one answer; commands and flushes, whose outcome is more than that, are the caller's.
fn ask(shard: &mut Shard, cx: &Context<'_>, work: &Work, effects: &mut Effects) -> Answer {
    match work {
        Work::Len => Answer::Count(shard.len(cx.tenant) as u64),
        Work::Scan { from, options } => Answer::Page(shard.scan(cx, *from, options, effects)),
        Work::Keys { pattern } => Answer::Keys(shard.keys(cx, pattern, effects)),
        Work::RandomKey => Answer::Key(shard.random_key(cx, effects)),
        Work::CountKeysInSlot(slot) => Answer::Count(shard.count_keys_in_slot(cx.tenant, *slot) as u64),
        Work::KeysInSlot { slot, limit } => Answer::Keys(shard.keys_in_slot(cx, *slot, *limit, effects)),
        Work::Put(keys) => put::put(shard, cx, keys, effects),
        Work::Stats => Answer::Stats(shard.stats(cx.tenant)),
        Work::ResetCounters => {
            shard.reset_counters(cx.tenant);
            Answer::Done
        }
        Work::Commands(_) | Work::Flush => Answer::Done,
    }
}

/// Whether room must be made, with all that any thread added before it asked taken into account by one of them
/// at least: the fence keeps two threads that each charge one class and read the other from both missing it.
fn is_over(pool: &Pool) -> bool {
    fence(Ordering::SeqCst);
    pool.over()
}
