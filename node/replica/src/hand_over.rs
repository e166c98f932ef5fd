//! Hand-over: how a primary gives its partition to a replica without two ever serving it.
//!
//! ```text
//! start -> Stopped --drained, ready--> Asked --committed--> Committed (answers MOVED)
//!            |  not ready, or too late   |  \--refused----> Resumed (serves again)
//!            '-------> Resumed           '-----unknown----> Unknown (stopped until the state is observed)
//! ```
//! The commit is a compare-and-set on the epoch, so of several asks at most one takes effect; but an ask whose
//! fate is unknown may take effect at any later time, and only a greater epoch, seen in the applied state,
//! shows that it cannot any more. Knows no leases (`access` asks for both) and no transport.

use predis_types::{Epoch, NodeId, PartitionId};

/// How patient a hand-over is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HandOverConfig {
    /// The longest that a request is held instead of being answered, in microseconds.
    pub hold_us: u64,
    /// How long after an unknown outcome the source asks again, in microseconds.
    pub retry_us: u64,
}

impl Default for HandOverConfig {
    /// 50 ms of holding, a retry after 200 ms.
    fn default() -> Self {
        HandOverConfig { hold_us: 50_000, retry_us: 200_000 }
    }
}

/// A change to be committed: if the partition's epoch is still `expected`, its primary becomes `primary` and
/// its epoch grows by one; otherwise it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ask {
    /// Which partition.
    pub partition: PartitionId,
    /// The epoch it must still have.
    pub expected: Epoch,
    /// Its new primary. The source itself, when all that is wanted is that earlier asks can do nothing more.
    pub primary: NodeId,
}

/// What became of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AskOutcome {
    /// It was committed and took effect.
    Committed,
    /// It certainly did not and will not take effect: it reached the log at most once, and was refused there
    /// while the epoch was still the expected one. A refusal because of the epoch is `Unknown`, for an earlier
    /// copy of this very ask may be what changed it.
    Refused,
    /// No answer, or one that leaves it open.
    Unknown,
}

/// How far a hand-over is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// No new command is started; those that run are waited for.
    Stopped,
    /// The commit was asked for.
    Asked,
    /// The commit's fate is unknown: stopped until the state is observed.
    Unknown,
    /// The partition is the target's.
    Committed,
    /// Nothing was changed; the source serves again.
    Resumed,
    /// The applied state has a greater epoch and says who serves; this machine has nothing more to say.
    Observed,
}

/// What the caller has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Have this committed and report with [`HandOver::answered`] under the same attempt number.
    Ask {
        /// Counts from 1.
        attempt: u32,
        /// What to commit.
        ask: Ask,
    },
    /// Decide again about every request that was held.
    ReleaseHeld,
}

/// What the hand-over says about a request to its partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// Nothing: decide as if there were no hand-over.
    #[default]
    Open,
    /// Keep it until [`Effect::ReleaseHeld`].
    Wait,
    /// Answer TRYAGAIN.
    TryAgain,
    /// Answer MOVED to this node.
    Moved(NodeId),
}

/// One hand-over of one partition, at its source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HandOver {
    partition: PartitionId,
    epoch: Epoch,
    source: NodeId,
    target: NodeId,
    config: HandOverConfig,
    phase: Phase,
    hold_until: u64,
    released: bool,
    attempts: u32,
    /// An ask whose fate is unknown may still take effect.
    open_asks: bool,
    /// From this attempt on asks only put an end to earlier ones, the target having been refused.
    fence_from: Option<u32>,
    ask_at: Option<u64>,
}

impl HandOver {
    /// Stops the partition, which `source` serves in `epoch`, in order to give it to `target`. From now on no
    /// command may be started in it; report with [`HandOver::drained`] when none runs any more.
    pub fn start(
        partition: PartitionId,
        epoch: Epoch,
        source: NodeId,
        target: NodeId,
        now: u64,
        config: HandOverConfig,
    ) -> Self {
        HandOver {
            partition,
            epoch,
            source,
            target,
            config,
            phase: Phase::Stopped,
            hold_until: now.saturating_add(config.hold_us),
            released: false,
            attempts: 0,
            open_asks: false,
            fence_from: None,
            ask_at: None,
        }
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the partition is stopped with everybody in sync having everything, and may be given away.
    pub fn is_drained(&self) -> bool {
        matches!(self.phase, Phase::Asked | Phase::Unknown | Phase::Committed)
    }

    /// Whether it can be dropped once its effects are done.
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Resumed | Phase::Observed)
    }

    /// No command runs in the shard any more, and all that ran has reached everybody in sync. `ready` says whether the
    /// target is one of those; otherwise the source resumes.
    pub fn drained(&mut self, now: u64, ready: bool) -> Vec<Effect> {
        if self.phase != Phase::Stopped {
            return Vec::new();
        }
        if !ready || now >= self.hold_until {
            return self.settle(Phase::Resumed);
        }
        self.phase = Phase::Asked;
        vec![self.ask()]
    }

    /// Ask number `attempt` came to an end. Answers to earlier attempts count when they are certain.
    pub fn answered(&mut self, attempt: u32, outcome: AskOutcome, now: u64) -> Vec<Effect> {
        if !matches!(self.phase, Phase::Asked | Phase::Unknown) || attempt == 0 || attempt > self.attempts {
            return Vec::new();
        }
        let latest = attempt == self.attempts;
        match outcome {
            // A fence has put an end to earlier asks; the new epoch is served once it is applied here.
            AskOutcome::Committed if self.is_fence(attempt) => self.stay_stopped(None),
            AskOutcome::Committed => self.settle(Phase::Committed),
            AskOutcome::Refused if !self.open_asks && latest => self.settle(Phase::Resumed),
            AskOutcome::Refused if latest => {
                self.fence_from.get_or_insert(attempt + 1);
                self.stay_stopped(Some(now.saturating_add(self.config.retry_us)))
            }
            AskOutcome::Refused => Vec::new(),
            AskOutcome::Unknown => {
                self.open_asks = true;
                self.stay_stopped(Some(now.saturating_add(self.config.retry_us)))
            }
        }
    }

    /// The applied state's epoch of the partition. Only a greater one than the hand-over began with settles
    /// anything: while it is the same, an ask may be on its way.
    pub fn observed(&mut self, epoch: Epoch) -> Vec<Effect> {
        if epoch <= self.epoch || self.is_finished() {
            return Vec::new();
        }
        self.settle(Phase::Observed)
    }

    /// Time passed: requests that were held too long are let go, an ask of unknown fate is repeated.
    pub fn poll(&mut self, now: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        if now >= self.hold_until {
            if self.phase == Phase::Stopped {
                return self.settle(Phase::Resumed);
            }
            effects.extend(self.release());
        }
        if self.phase == Phase::Unknown && self.ask_at.is_some_and(|at| now >= at) {
            effects.push(self.ask());
        }
        effects
    }

    /// When to poll next.
    pub fn next_poll(&self) -> Option<u64> {
        let hold = (!self.released).then_some(self.hold_until);
        hold.into_iter().chain(self.ask_at).min()
    }

    /// What to do with a request, the applied state being at `epoch`. A hand-over speaks only for the epoch
    /// that it began in.
    pub fn hold(&self, epoch: Epoch, now: u64) -> Hold {
        if epoch != self.epoch {
            return Hold::Open;
        }
        match self.phase {
            Phase::Resumed | Phase::Observed => Hold::Open,
            Phase::Committed => Hold::Moved(self.target),
            Phase::Stopped | Phase::Asked | Phase::Unknown if now < self.hold_until => Hold::Wait,
            Phase::Stopped | Phase::Asked | Phase::Unknown => Hold::TryAgain,
        }
    }

    fn ask(&mut self) -> Effect {
        self.attempts += 1;
        self.ask_at = None;
        let primary = if self.is_fence(self.attempts) { self.source } else { self.target };
        let ask = Ask { partition: self.partition, expected: self.epoch, primary };
        Effect::Ask { attempt: self.attempts, ask }
    }

    fn is_fence(&self, attempt: u32) -> bool {
        self.fence_from.is_some_and(|from| attempt >= from)
    }

    fn stay_stopped(&mut self, ask_at: Option<u64>) -> Vec<Effect> {
        self.phase = Phase::Unknown;
        self.ask_at = ask_at;
        Vec::new()
    }

    fn settle(&mut self, phase: Phase) -> Vec<Effect> {
        self.phase = phase;
        self.ask_at = None;
        self.release()
    }

    fn release(&mut self) -> Vec<Effect> {
        if std::mem::replace(&mut self.released, true) { Vec::new() } else { vec![Effect::ReleaseHeld] }
    }
}
