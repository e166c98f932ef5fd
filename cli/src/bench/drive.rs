//! Sends one phase's requests over all connections and counts what comes of them.
//!
//! ```text
//! Feed --up to a pipeline's depth, all that is due--> one write --> replies --> Tally
//! ```
//! Closed loop: a batch is sent when the one before it is answered, and measured from then. Open loop: each request
//! has its time, is sent then or as soon as the connection is free, and is measured from its time. Does not know
//! arguments or reports.

use super::{
    pace::Pace,
    plan::{Encoder, Feed, Op},
    tally::Tally,
};
use crate::wire::{Wire, WireError};
use bytes::BytesMut;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How often it is looked whether the run goes on.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A run in which nothing is answered for so long has failed.
const STALL_LIMIT: Duration = Duration::from_secs(10);

/// Why a phase did not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriveError {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("no reply arrived for {} s", STALL_LIMIT.as_secs())]
    Stalled,
    #[error("cannot set a timer")]
    Timer(#[from] io::Error),
    #[error("a connection's task failed")]
    Task(#[from] tokio::task::JoinError),
}

/// One connection and what it is to send.
pub(super) struct Sender {
    pub(super) wire: Wire,
    pub(super) feed: Feed,
    /// In an open loop: the time between two of its requests, and how long after the beginning the first one is.
    pub(super) pace: Option<(Duration, Duration)>,
}

/// What holds for all connections in a phase.
#[derive(Clone)]
pub(super) struct Phase {
    pub(super) encoder: Arc<Encoder>,
    pub(super) pipeline: usize,
    pub(super) limit: Option<Duration>,
    /// How many requests were answered so far.
    pub(super) progress: Arc<AtomicU64>,
}

/// What a phase came to.
pub(super) struct Outcome {
    pub(super) wires: Vec<Wire>,
    pub(super) tally: Tally,
    pub(super) took: Duration,
}

/// Runs a phase to its end; `watch` is told now and then how many requests were answered.
pub(super) async fn drive(
    senders: Vec<Sender>,
    phase: &Phase,
    mut watch: impl FnMut(u64),
) -> Result<Outcome, DriveError> {
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for sender in senders {
        running.spawn(sender.run(phase.clone(), begin));
    }
    let mut tally = Tally::default();
    let mut wires = Vec::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    let (mut seen, mut seen_at) = (0, begin);
    loop {
        tokio::select! {
            ended = running.join_next() => match ended {
                None => break,
                Some(ended) => {
                    let (wire, part) = ended??;
                    tally.add(&part);
                    wires.push(wire);
                }
            },
            _ = look.tick() => {
                let answered = phase.progress.load(Relaxed);
                watch(answered);
                if answered > seen {
                    (seen, seen_at) = (answered, Instant::now());
                } else if seen_at.elapsed() > STALL_LIMIT {
                    return Err(DriveError::Stalled);
                }
            }
        }
    }
    Ok(Outcome { wires, tally, took: begin.elapsed() })
}

impl Sender {
    async fn run(mut self, phase: Phase, begin: Instant) -> Result<(Wire, Tally), DriveError> {
        let mut tally = Tally::default();
        let mut out = BytesMut::new();
        let mut batch: Vec<(Op, Instant)> = Vec::with_capacity(phase.pipeline);
        let deadline = phase.limit.map(|limit| begin + limit);
        let mut pace = match self.pace {
            Some((every, offset)) => Some(Pace::new(begin + offset, every)?),
            None => None,
        };
        loop {
            let over = |at: Instant| deadline.is_some_and(|deadline| at >= deadline);
            if let Some(pace) = &mut pace {
                if over(pace.next()) {
                    break;
                }
                pace.wait().await?;
            }
            let now = Instant::now();
            if over(now) {
                break;
            }
            self.fill(&mut batch, &mut pace, phase.pipeline, now);
            if batch.is_empty() {
                break;
            }
            out.clear();
            batch.iter().for_each(|(op, _)| phase.encoder.encode(*op, &mut out));
            let mut asked = batch.iter();
            let count = |reply, read: Instant| {
                if let Some((op, from)) = asked.next() {
                    tally.count(op.is_set(), &reply, read.saturating_duration_since(*from));
                }
            };
            self.wire.exchange(&out, batch.len(), count).await?;
            phase.progress.fetch_add(batch.len() as u64, Relaxed);
        }
        Ok((self.wire, tally))
    }

    /// The next batch: each request with the moment from which it is measured.
    fn fill(
        &mut self,
        batch: &mut Vec<(Op, Instant)>,
        pace: &mut Option<Pace>,
        pipeline: usize,
        now: Instant,
    ) {
        batch.clear();
        while batch.len() < pipeline {
            let from = match pace {
                None => now,
                Some(pace) => match pace.due(now) {
                    Some(due) => due,
                    None => return,
                },
            };
            let Some(op) = self.feed.next() else { return };
            batch.push((op, from));
        }
    }
}
