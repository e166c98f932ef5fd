//! Gives partitions away when the leader asks for it.
//!
//! Drives the shards' hand-overs: what they ask for is proposed, several partitions in one command, and the
//! outcome is told back. Whether everybody in sync has everything is the shards' business.

use crate::{serving::Serving, shards::HandOverAction, supervisor::Move};
use predis_meta::{Action, PlacementChange, PlacementKind, Replica};
use predis_raft::ProposeError;
use predis_replica::{Ask, AskOutcome};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How often hand-overs whose outcome is unknown are looked at, while there are any.
const POLL: Duration = Duration::from_millis(50);

/// Acts on moves until none can come any more.
pub async fn give_away(serving: Arc<Serving>, mut wanted: mpsc::UnboundedReceiver<Vec<Move>>) -> String {
    loop {
        let actions = tokio::select! {
            biased;
            moves = wanted.recv() => {
                let Some(moves) = moves else { return "the lease agent stopped".to_owned() };
                let begin = |wanted: Move| serving.shards.begin_hand_over(wanted.partition, wanted.to);
                moves.into_iter().flat_map(begin).collect()
            }
            () = serving.shards.hand_over_drained() => serving.shards.poll_hand_overs(),
            () = tokio::time::sleep(POLL) => serving.shards.poll_hand_overs(),
        };
        carry_out(&serving, actions).await;
    }
}

/// Proposes what is asked for, all of it in one command, until nothing more is asked.
async fn carry_out(serving: &Serving, mut actions: Vec<HandOverAction>) {
    while !actions.is_empty() {
        let asked: Vec<(HandOverAction, Option<PlacementChange>)> =
            actions.into_iter().map(|action| (action, change(serving, &action.ask))).collect();
        let changes: Vec<PlacementChange> = asked.iter().filter_map(|(_, change)| change.clone()).collect();
        let proposed = if changes.is_empty() { AskOutcome::Refused } else { propose(serving, changes).await };
        let answered = asked.iter().flat_map(|(action, change)| {
            let outcome = if change.is_some() { proposed } else { AskOutcome::Refused };
            let outcome = match outcome {
                // Refused counts only where nothing has moved: else an earlier ask may be what moved it.
                AskOutcome::Refused if !is_unmoved(serving, &action.ask) => AskOutcome::Unknown,
                outcome => outcome,
            };
            serving.shards.answered(action.ask.partition, action.attempt, outcome)
        });
        actions = answered.collect();
    }
}

/// This node, in this life, as the metadata names it.
fn this_replica(serving: &Serving) -> Replica {
    Replica { node: serving.identity.node, incarnation: serving.identity.incarnation }
}

/// Whether the applied state still is the one that the ask was made in.
fn is_unmoved(serving: &Serving, ask: &Ask) -> bool {
    let published = serving.meta.published();
    let from = this_replica(serving);
    let partition = published.state.partition(ask.partition);
    partition.is_some_and(|partition| partition.epoch == ask.expected && partition.primary == Some(from))
}

/// The command's outcome; `Refused` means that no part of it is or will be committed.
async fn propose(serving: &Serving, changes: Vec<PlacementChange>) -> AskOutcome {
    let actor = format!("node:{}", serving.node());
    match serving.propose(&actor, Action::Place { changes }).await {
        Ok(_) => AskOutcome::Committed,
        Err(
            ProposeError::Rejected(_)
            | ProposeError::Invalid(_)
            | ProposeError::NotYet(_)
            | ProposeError::Unavailable(_),
        ) => AskOutcome::Refused,
        Err(ProposeError::Unknown(reason)) => {
            tracing::info!(reason, "the outcome of a hand-over is unknown");
            AskOutcome::Unknown
        }
    }
}

/// The command for an ask; `None` when the state has moved on.
fn change(serving: &Serving, ask: &Ask) -> Option<PlacementChange> {
    let published = serving.meta.published();
    let partition = published.state.partition(ask.partition).filter(|_| is_unmoved(serving, ask))?;
    let member = published.state.node(ask.primary).filter(|member| member.is_up())?;
    let to = Replica { node: member.id, incarnation: member.incarnation };
    // Promoting the primary itself fences an earlier ask whose outcome is unknown.
    let kind = PlacementKind::Promote { to };
    if !partition.in_sync.contains(&to) {
        return None;
    }
    let others = partition.replicas.iter().copied().filter(|node| *node != to.node);
    Some(PlacementChange {
        partition: ask.partition,
        epoch: partition.epoch,
        version: partition.version,
        replicas: std::iter::once(to.node).chain(others).collect(),
        kind,
    })
}
