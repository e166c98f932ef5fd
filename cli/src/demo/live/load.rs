//! The load of the live demo: a few workers, each of which takes what is due, asks the shadows, then the cluster.
//!
//! ```text
//!   Feed --what is due, up to a batch--> worker --GETs--> nodes --misses--> SETs --> Board
//!     '--> shadows
//! ```
//! A request that nobody serves at the moment is a miss and is not sent again: whoever asks a cache goes to the origin
//! then. Does not know the view.

use super::board::{Board, Served};
use crate::{
    demo::{
        journal::{Journal, Weight},
        score::POLICIES,
        shadows::Shadows,
        workload::{MAX_VALUE_BYTES, Source},
    },
    failure::Failure,
    trace::{Request, TraceError},
    wire::{SlotMap, Wires, is_passing},
};
use anyhow::Context;
use bytes::{Bytes, BytesMut};
use predis_resp::{Reply, encode_command};
use predis_types::key_slot;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// How many workers there are; each has a connection to each node.
const WORKERS: usize = 8;

/// The most requests that a worker takes at a time.
const BATCH: usize = 32;

/// How long a worker waits for the next request at the most before it looks again.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// How often a worker asks who serves what, at the most.
const LEARN_EVERY: Duration = Duration::from_millis(50);

/// What is to be sent next.
struct Feed {
    source: Source,
    shadows: Shadows,
    next: Option<Request>,
    began: Instant,
    scanning: bool,
    over: bool,
    failed: Option<TraceError>,
    journal: Arc<Journal>,
}

/// What a worker is to do.
enum Due {
    Batch(Vec<Request>, [u64; POLICIES]),
    Wait(Duration),
    Over,
}

impl Feed {
    fn take(&mut self) -> Due {
        let elapsed = self.began.elapsed();
        let mut batch = Vec::new();
        while !self.over && batch.len() < BATCH {
            let Some(request) = self.peek() else { break };
            let due = Duration::from_millis(request.time_ms);
            if due > elapsed {
                if batch.is_empty() {
                    return Due::Wait((due - elapsed).min(LONGEST_WAIT));
                }
                break;
            }
            batch.extend(self.next.take());
        }
        if batch.is_empty() {
            self.over = true;
            return Due::Over;
        }
        batch.iter().for_each(|request| self.shadows.request(request));
        self.note_scan();
        Due::Batch(batch, self.shadows.hits())
    }

    fn peek(&mut self) -> Option<&Request> {
        if self.next.is_none() {
            match self.source.next() {
                Ok(next) => self.next = next,
                Err(error) => self.failed = Some(error),
            }
        }
        self.next.as_ref()
    }

    fn note_scan(&mut self) {
        let scanning = self.source.is_scanning();
        if scanning != self.scanning {
            self.scanning = scanning;
            let text = if scanning {
                "a scan reads an eighth of the catalogue in order"
            } else {
                "the scan is over"
            };
            self.journal.note(Weight::Plain, text);
        }
    }
}

/// The load while it is sent.
pub(super) struct Load {
    runtime: Runtime,
    feed: Arc<Mutex<Feed>>,
    board: Arc<Board>,
}

impl Load {
    /// Begins to send.
    pub(super) fn start(
        source: Source,
        shadows: Shadows,
        addrs: &[String],
        journal: Arc<Journal>,
    ) -> Result<Load, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("load").enable_all().build();
        let runtime = runtime.context("cannot start threads").map_err(Failure::failed)?;
        let feed = Feed {
            source,
            shadows,
            next: None,
            began: Instant::now(),
            scanning: false,
            over: false,
            failed: None,
            journal,
        };
        let (feed, board) = (Arc::new(Mutex::new(feed)), Arc::new(Board::default()));
        for _ in 0..WORKERS {
            let worker = Worker {
                feed: feed.clone(),
                board: board.clone(),
                addrs: addrs.to_vec(),
                wires: Wires::default(),
                map: SlotMap::single(addrs.first().map_or("", String::as_str)),
                learned: None,
                value: Bytes::from(vec![b'.'; MAX_VALUE_BYTES as usize]),
            };
            runtime.spawn(worker.run());
        }
        Ok(Load { runtime, feed, board })
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything is sent, or cannot be.
    pub(super) fn is_over(&self) -> bool {
        self.feed().over
    }

    /// What it has come to so far.
    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    /// Where its work is done, for what else belongs to it.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Ends it; the board has what was counted until then.
    pub(super) fn stop(self) -> Result<Arc<Board>, TraceError> {
        self.feed().over = true;
        let failed = self.feed().failed.take();
        self.runtime.shutdown_background();
        failed.map_or(Ok(self.board), Err)
    }
}

/// Sends what it takes, one batch after the other.
struct Worker {
    feed: Arc<Mutex<Feed>>,
    board: Arc<Board>,
    addrs: Vec<String>,
    wires: Wires,
    map: SlotMap,
    learned: Option<Instant>,
    value: Bytes,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unserved,
    Hit,
    Miss,
}

impl Worker {
    async fn run(mut self) {
        self.learn().await;
        loop {
            let due = self.feed.lock().unwrap_or_else(PoisonError::into_inner).take();
            match due {
                Due::Batch(batch, shadows) => {
                    let mut served = Served { shadows, ..Served::default() };
                    self.serve(&batch, &mut served).await;
                    self.board.add(&served);
                }
                Due::Wait(wait) => tokio::time::sleep(wait).await,
                Due::Over => return,
            }
        }
    }

    async fn serve(&mut self, batch: &[Request], served: &mut Served) {
        let mut fates = vec![Fate::Unserved; batch.len()];
        let all = self.by_node(batch, |_| true);
        let (map, mut stale) = (self.map.clone(), false);
        for (node, indices) in all {
            let gets = indices.iter().map(|at| [Bytes::from_static(b"GET"), batch[*at].key.clone()]);
            let mut at = indices.iter();
            let began = Instant::now();
            stale |= !self
                .ask(&map.nodes()[node], gets.collect(), |reply, now| {
                    let Some(at) = at.next() else { return };
                    fates[*at] = match reply {
                        Reply::Bulk(_) => Fate::Hit,
                        Reply::Error(_) => Fate::Unserved,
                        _ => Fate::Miss,
                    };
                    if fates[*at] != Fate::Unserved {
                        served.latencies.record(now.saturating_duration_since(began));
                    }
                })
                .await;
        }
        let misses = self.by_node(batch, |at| fates[at] == Fate::Miss);
        for (node, indices) in misses {
            let sets = indices.iter().map(|at| {
                let length = (batch[*at].size_bytes as usize).min(self.value.len());
                [Bytes::from_static(b"SET"), batch[*at].key.clone(), self.value.slice(..length)]
            });
            // Whether it is stored is seen when it is next asked for.
            stale |= !self.ask(&map.nodes()[node], sets.collect(), |_, _| {}).await;
        }
        // A slot of which nobody is known to serve it is asked of nobody: that must end, too.
        stale |= fates.contains(&Fate::Unserved);
        let count = |fate| fates.iter().filter(|other| **other == fate).count() as u64;
        served.requests += batch.len() as u64;
        served.hits += count(Fate::Hit);
        served.unserved += count(Fate::Unserved);
        if stale && self.learned.is_none_or(|learned| learned.elapsed() > LEARN_EVERY) {
            self.learn().await;
        }
    }

    /// The indices of requests by the node that serves them; those that nobody serves are left out.
    fn by_node(&self, batch: &[Request], wanted: impl Fn(usize) -> bool) -> BTreeMap<usize, Vec<usize>> {
        let mut by_node: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, request) in batch.iter().enumerate().filter(|(at, _)| wanted(*at)) {
            if let Some(node) = self.map.node_of(key_slot(&request.key)) {
                by_node.entry(node).or_default().push(at);
            }
        }
        by_node
    }

    /// Sends commands to a node; false when it is not who serves them, or not there.
    async fn ask<const N: usize>(
        &mut self,
        addr: &str,
        commands: Vec<[Bytes; N]>,
        mut each: impl FnMut(Reply, Instant),
    ) -> bool {
        let mut out = BytesMut::new();
        commands.iter().for_each(|args| encode_command(args, &mut out));
        let mut fits = true;
        let asked = async {
            let wire = self.wires.to(addr).await?;
            wire.exchange(&out, commands.len(), |reply, now| {
                fits &= !matches!(&reply, Reply::Error(message) if is_passing(message));
                each(reply, now);
            })
            .await
        };
        let answered = asked.await.is_ok();
        if !answered {
            self.wires.close(addr);
        }
        fits && answered
    }

    /// Asks whoever answers who serves what.
    async fn learn(&mut self) {
        for addr in &self.addrs {
            let Ok(wire) = self.wires.to(addr).await else { continue };
            match SlotMap::ask(wire).await {
                Ok(map) => {
                    self.map = map;
                    break;
                }
                Err(_) => self.wires.close(addr),
            }
        }
        self.learned = Some(Instant::now());
    }
}
