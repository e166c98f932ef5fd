//! One call, attempt after attempt, until it has its answer or its time is up.
//!
//! ```text
//! where? --> connection --> send --> answer --+--> the caller's
//!   ^                                         |
//!   '-- MOVED: at once, elsewhere ------------|
//!   '-- pause, if a token is left ------------+--> TRYAGAIN, CLUSTERDOWN, LOADING; lost, and may be repeated
//!                                             '--> lost, and may not: Ambiguous
//! ```
//! What was never sent may always be tried again. Knows nothing of what commands mean beyond their row in the table.

use crate::{
    connection::{Broken, Connection, End},
    error::{CallError, Setback},
    near::Near,
    redirect::{Told, told},
    retry::{Budget, pause},
    routing::{Routing, Upstreams},
    upstream::{Mode, NoConnection, Reach, Upstream},
    view::View,
};
use arc_swap::ArcSwap;
use predis_resp::{CommandId, CommandSpec, Flag, Reply, Retry};
use predis_types::PartitionId;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, futures::Notified, watch},
    time::{Instant, timeout_at},
};

/// How many redirections are followed at once before they are paused between like failures.
const REDIRECTIONS: u32 = 5;

/// How long a partition that nobody serves, or a node that is left alone, is waited for before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A command on its way.
pub(crate) struct Call<'a> {
    pub(crate) spec: &'static CommandSpec,
    pub(crate) args: &'a [&'a [u8]],
}

impl Call<'_> {
    fn reads(&self) -> bool {
        self.spec.flags.contains(Flag::Readonly)
    }

    /// Whether it is about keys, rather than about all there are, which may take its time.
    fn is_quick(&self) -> bool {
        self.spec.keys.first != 0
    }

    fn retry(&self) -> Retry {
        self.spec.retry_of(self.args)
    }
}

/// Where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// To whoever serves this partition; calls with the same lane are carried out in order.
    Partition { partition: PartitionId, lane: usize },
    /// To any node.
    Any,
}

/// What one call has come to.
#[derive(Default)]
struct Trail {
    /// It was sent, and its answer has not come.
    sent: bool,
    attempts: u32,
    redirections: u32,
    /// A node did not know the connection any more.
    unknown: bool,
    last: Option<Setback>,
}

/// What all calls share.
pub(crate) struct Core {
    pub(crate) reach: Arc<Reach>,
    pub(crate) upstreams: Upstreams,
    routing: ArcSwap<Routing>,
    budget: Budget,
    turn: AtomicUsize,
    /// Told when a node knew better than the view.
    pub(crate) outdated: Arc<Notify>,
}

impl Core {
    pub(crate) fn new(reach: Reach, view: Arc<View>, outdated: Arc<Notify>) -> Core {
        let reach = Arc::new(reach);
        let upstreams = Upstreams::new(reach.clone());
        Core {
            routing: ArcSwap::from_pointee(Routing::new(view, &upstreams)),
            budget: Budget::new(&reach.settings.retry, Instant::now()),
            turn: AtomicUsize::new(reach.with_rng(|rng| rng.below(1 << 16)) as usize),
            upstreams,
            reach,
            outdated,
        }
    }

    /// The table as it is now.
    pub(crate) fn routing(&self) -> Arc<Routing> {
        self.routing.load_full()
    }

    /// Takes over every view, for as long as there are any.
    pub(crate) async fn follow(self: Arc<Self>, mut views: watch::Receiver<Arc<View>>) {
        loop {
            let view = views.borrow_and_update().clone();
            if view != self.routing.load().view {
                self.upstreams.keep_members(&view);
                self.routing.store(Arc::new(Routing::new(view, &self.upstreams)));
                self.reach.news.notify_waiters();
            }
            if views.changed().await.is_err() {
                return;
            }
        }
    }

    /// Where copies are kept of what a command reads, if they may be.
    pub(crate) fn near_for(&self, spec: &CommandSpec, view: &View) -> Option<&Arc<Near>> {
        let near = self.reach.near.as_ref()?;
        (spec.id == CommandId::Get && (!view.quorum || near.settings.under_quorum)).then_some(near)
    }

    /// Carries a call out within `limit`.
    pub(crate) async fn call(
        &self,
        place: Place,
        call: &Call<'_>,
        limit: Duration,
    ) -> Result<Reply, CallError> {
        self.budget.deposit();
        let mut trail = Trail::default();
        let deadline = Instant::now() + limit;
        match timeout_at(deadline, self.attempts(place, call, deadline, &mut trail)).await {
            Ok(result) => result,
            Err(_) if trail.sent && call.retry() == Retry::Ambiguous => {
                Err(CallError::Ambiguous { cause: Setback::Unanswered(limit) })
            }
            Err(_) => Err(CallError::Deadline { limit, last: trail.last }),
        }
    }

    async fn attempts(
        &self,
        place: Place,
        call: &Call<'_>,
        deadline: Instant,
        trail: &mut Trail,
    ) -> Result<Reply, CallError> {
        let turn = if place == Place::Any { self.turn.fetch_add(1, Relaxed) } else { 0 };
        let mut redirected = None;
        loop {
            // Asked for before looking, so that no news is missed.
            let news = self.reach.news.notified();
            let routing = self.routing.load_full();
            let target = match redirected.take() {
                Some(upstream) => Some((upstream, Mode::Primary)),
                None => target(&routing, place, call, turn, trail.attempts),
            };
            let Some((upstream, mode)) = target else {
                trail.last = Some(nowhere(place));
                wait(news, Instant::now() + LOOK_AGAIN).await;
                continue;
            };
            match self.attempt(&upstream, mode, place, call, deadline, trail).await {
                Ok(reply) => match told(reply) {
                    Told::Reply(reply) => return Ok(reply),
                    Told::Moved(addr) => {
                        redirected = self.redirect(&routing, place, (&upstream, mode), &addr, trail).await?;
                    }
                    Told::Later { line, may_have_run } => {
                        let refused = Setback::Refused { addr: upstream.addr.clone(), line };
                        if may_have_run && call.retry() == Retry::Ambiguous {
                            return Err(CallError::Ambiguous { cause: refused });
                        }
                        self.pay_and_pause(refused, trail).await?;
                    }
                    // The next connection presents the token as it is by then.
                    Told::NoAuth(_) if !std::mem::replace(&mut trail.unknown, true) => {}
                    Told::NoAuth(line) => return Err(CallError::Auth(line)),
                },
                Err(Failed::Unsent(setback)) => {
                    trail.last = Some(setback);
                    self.pause(trail).await;
                }
                Err(Failed::LeftAlone(until)) => {
                    trail.last.get_or_insert(Setback::LeftAlone { addr: upstream.addr.clone() });
                    trail.attempts += 1;
                    wait(news, until.min(Instant::now() + LOOK_AGAIN)).await;
                }
                Err(Failed::Sent(setback, end)) => {
                    // A write that a node may yet read from a connection given up must not be sent again: it could be
                    // carried out after later ones.
                    let twice = end == End::GaveUp && !call.reads();
                    if twice || call.retry() == Retry::Ambiguous {
                        return Err(CallError::Ambiguous { cause: setback });
                    }
                    self.pay_and_pause(setback, trail).await?;
                }
                Err(Failed::Auth(line)) => return Err(CallError::Auth(line)),
            }
        }
    }

    /// Sends a call once and waits for its answer.
    async fn attempt(
        &self,
        upstream: &Arc<Upstream>,
        mode: Mode,
        place: Place,
        call: &Call<'_>,
        deadline: Instant,
        trail: &mut Trail,
    ) -> Result<Reply, Failed> {
        let soon = Instant::now() + self.reach.settings.silence_limit;
        let (lane, due) = match place {
            Place::Partition { lane, .. } if call.is_quick() => (lane, soon),
            Place::Partition { lane, .. } => (lane, soon.max(deadline)),
            Place::Any => (0, soon.max(deadline)),
        };
        let connection = upstream.connection(mode, lane).await?;
        let lost = || Setback::Lost { addr: upstream.addr.clone() };
        let answer = connection.send(call.args, due).await.map_err(|_| Failed::Unsent(lost()))?;
        trail.sent = true;
        let answer = answer.await.unwrap_or(Err(Broken { sent: true, end: End::GaveUp }));
        trail.sent = false;
        match answer {
            Ok(reply) => {
                note(upstream, &connection, &reply);
                Ok(reply)
            }
            Err(Broken { sent: false, .. }) => Err(Failed::Unsent(lost())),
            Err(Broken { end: End::Gone, .. }) => Err(Failed::Sent(lost(), End::Gone)),
            Err(Broken { end: End::GaveUp, .. }) => {
                Err(Failed::Sent(Setback::Silent { addr: upstream.addr.clone() }, End::GaveUp))
            }
        }
    }

    /// Follows a redirection; `None` to look the place up again after a pause.
    async fn redirect(
        &self,
        routing: &Routing,
        place: Place,
        (asked, mode): (&Arc<Upstream>, Mode),
        addr: &str,
        trail: &mut Trail,
    ) -> Result<Option<Arc<Upstream>>, CallError> {
        let right = match addr.strip_prefix(':') {
            // No host: that of whoever says so.
            Some(port) => {
                let host = asked.addr.rsplit_once(':').map_or("", |(host, _)| host);
                self.upstreams.at(&format!("{host}:{port}"))
            }
            None => self.upstreams.at(addr),
        };
        if let Place::Partition { partition, .. } = place {
            routing.correct(partition, asked, mode, &right);
        }
        if mode == Mode::Primary {
            self.outdated.notify_one();
        }
        trail.redirections += 1;
        if trail.redirections.is_multiple_of(REDIRECTIONS) {
            // Nodes that disagree need a moment to agree.
            let line = format!("MOVED {addr}");
            self.pay_and_pause(Setback::Refused { addr: asked.addr.clone(), line }, trail).await?;
            return Ok(None);
        }
        // A replica that does not serve readers says so, and the table now names the primary.
        Ok((mode == Mode::Primary).then_some(right))
    }

    async fn pay_and_pause(&self, setback: Setback, trail: &mut Trail) -> Result<(), CallError> {
        if !self.budget.withdraw(Instant::now()) {
            return Err(CallError::Unavailable { cause: setback });
        }
        trail.last = Some(setback);
        self.pause(trail).await;
        Ok(())
    }

    async fn pause(&self, trail: &mut Trail) {
        let pause = self.reach.with_rng(|rng| pause(&self.reach.settings.retry, trail.attempts, rng));
        trail.attempts += 1;
        tokio::time::sleep(pause).await;
    }
}

/// Why one attempt gave no answer.
enum Failed {
    Unsent(Setback),
    Sent(Setback, End),
    LeftAlone(Instant),
    Auth(String),
}

impl From<NoConnection> for Failed {
    fn from(reason: NoConnection) -> Failed {
        match reason {
            NoConnection::Setback(setback) => Failed::Unsent(setback),
            NoConnection::LeftAlone(until) => Failed::LeftAlone(until),
            NoConnection::Auth(line) => Failed::Auth(line),
        }
    }
}

fn target(
    routing: &Routing,
    place: Place,
    call: &Call<'_>,
    turn: usize,
    attempt: u32,
) -> Option<(Arc<Upstream>, Mode)> {
    match place {
        Place::Partition { partition, .. } if call.reads() => routing.reader(partition),
        Place::Partition { partition, .. } => Some((routing.primary(partition)?, Mode::Primary)),
        Place::Any => Some((routing.any(turn, attempt as usize)?, Mode::Primary)),
    }
}

fn nowhere(place: Place) -> Setback {
    match place {
        Place::Partition { partition, .. } => Setback::Unserved(partition),
        Place::Any => Setback::NoNode,
    }
}

/// What an answer says of the node itself.
pub(crate) fn note(upstream: &Upstream, connection: &Connection, reply: &Reply) {
    match reply {
        Reply::Error(line) if crate::redirect::is_down(line) => upstream.failed(),
        Reply::Error(line) if crate::redirect::is_unknown_caller(line) => {
            connection.retire();
        }
        _ => upstream.succeeded(),
    }
}

/// Waits for news, until then at the latest.
async fn wait(news: Notified<'_>, until: Instant) {
    // Either way, it is time to look again.
    let _ = timeout_at(until, news).await;
}
