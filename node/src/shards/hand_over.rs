//! Driving hand-overs: `predis_replica::HandOver` under the partition's lock, what it wants done handed out.
//!
//! Commands run under that lock from beginning to end, so none runs any more once it is locked; what is waited for is
//! that everybody in sync has what they did. Does not
//! know how a change of the metadata is committed: the caller does, and reports.

use super::{
    Shards,
    partition::{Guarded, Leading, Partition},
};
use predis_replica::{Access, Ask, AskOutcome, Effect, HandOver, Phase, access};
use predis_types::{
    NodeId, PartitionId,
    planted::{self, Bug},
};
use std::sync::atomic::Ordering::Relaxed;

/// Have this committed, then report with [`Shards::answered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOverAction {
    /// To be given back with the outcome.
    pub attempt: u32,
    /// What to commit; names the partition.
    pub ask: Ask,
}

impl Shards {
    /// Stops a partition that this node serves, in order to give it to another one. Nothing is returned, and
    /// nothing changed, when it does not serve it now, when it is being handed over already, or when the other one's
    /// copy is not in sync.
    pub fn begin_hand_over(&self, partition: PartitionId, to: NodeId) -> Vec<HandOverAction> {
        self.drive(partition, |guarded, now_us| {
            let allowed = guarded.hand_over.is_none() && to != self.identity.node;
            match access(&self.look(guarded), &guarded.owner) {
                Access::Serve { epoch } if allowed => {
                    let node = self.identity.node;
                    let ready =
                        |leading: &Leading| leading.lead.members().in_sync.iter().any(|l| l.node == to);
                    if !guarded.leading().is_some_and(ready) {
                        return Vec::new();
                    }
                    let hand_over = HandOver::start(partition, epoch, node, to, now_us, self.hand_over);
                    guarded.hand_over = Some(hand_over);
                    drain(guarded, now_us)
                }
                _ => Vec::new(),
            }
        })
    }

    /// Reports what became of an ask.
    pub fn answered(&self, partition: PartitionId, attempt: u32, outcome: AskOutcome) -> Vec<HandOverAction> {
        self.drive(partition, |guarded, now_us| {
            let hand_over = guarded.hand_over.as_mut();
            hand_over.map_or_else(Vec::new, |hand_over| hand_over.answered(attempt, outcome, now_us))
        })
    }

    /// Time passed: lets go of requests that were held too long and asks again where an outcome is unknown. To be
    /// called every few milliseconds; costs next to nothing while nothing moves.
    pub fn poll_hand_overs(&self) -> Vec<HandOverAction> {
        let moving = self.partitions.iter().filter(|partition| partition.moving.load(Relaxed));
        let poll = |partition: &Partition| {
            self.drive(partition.id, |guarded, now_us| {
                let mut effects = drain(guarded, now_us);
                if let Some(hand_over) = &mut guarded.hand_over {
                    effects.extend(hand_over.poll(now_us));
                }
                effects
            })
        };
        moving.flat_map(poll).collect()
    }

    /// Resolves when a hand-over can go on: poll them then.
    pub async fn hand_over_drained(&self) {
        self.drained.notified().await;
    }

    /// How far a partition's hand-over is; `None`: there is none, or it is over.
    pub fn hand_over_phase(&self, partition: PartitionId) -> Option<Phase> {
        self.partition(partition)?.lock().hand_over.as_ref().map(HandOver::phase)
    }

    fn drive(
        &self,
        partition: PartitionId,
        step: impl FnOnce(&mut Guarded, u64) -> Vec<Effect>,
    ) -> Vec<HandOverAction> {
        let Some(partition) = self.partition(partition) else { return Vec::new() };
        let mut guarded = partition.lock();
        let effects = step(&mut guarded, self.clock.mono_us());
        partition.settle(&mut guarded);
        drop(guarded);
        partition.carry_out(effects)
    }
}

/// Tells a hand-over that everybody in sync has everything, if that is so.
fn drain(guarded: &mut Guarded, now_us: u64) -> Vec<Effect> {
    let drained = guarded.is_drained() || planted::active(Bug::MoveDropsLateWrites);
    match &mut guarded.hand_over {
        Some(hand_over) if drained => hand_over.drained(now_us, true),
        _ => Vec::new(),
    }
}

impl Partition {
    /// Forgets a hand-over that is over; after every change of one.
    pub(super) fn settle(&self, guarded: &mut Guarded) {
        guarded.hand_over = guarded.hand_over.take().filter(|hand_over| !hand_over.is_finished());
        self.moving.store(guarded.hand_over.is_some(), Relaxed);
    }

    /// Lets go of what is held, once the partition is unlocked; returns what is left to others.
    pub(super) fn carry_out(&self, effects: Vec<Effect>) -> Vec<HandOverAction> {
        let mut actions = Vec::new();
        for effect in effects {
            match effect {
                Effect::Ask { attempt, ask } => actions.push(HandOverAction { attempt, ask }),
                Effect::ReleaseHeld => self.released.notify_waiters(),
            }
        }
        actions
    }
}
