//! The demo with a live view: the load, the death of a node at half time, and a picture of it ten times a second.
//!
//! ```text
//!   Load --> Board --sample--> samples --.
//!   Watch ------------look----------------> Scene --> Screen
//!   Journal ------------------------------'
//! ```
//! Does not know how a picture is drawn nor how a request is sent.

mod board;
mod load;
#[cfg(test)]
mod tests;

use super::{
    cluster::{Cluster, Look},
    journal::{Journal, Weight},
    recovery::{Recovered, observe},
    report::{Killed, LatencyReport, Measured, Outcome},
    score::{Hits, Score, WINDOWS},
    shadows::Shadows,
    view::{Moment, Scene, Screen, Wish},
    workload::Source,
};
use crate::{failure::Failure, stop::Signals};
use anyhow::Context;
use board::Sample;
use load::Load;
use predis_policy::PolicyKind;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::Receiver,
    },
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// How often a picture is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// How often the load is sampled.
const SAMPLE: Duration = Duration::from_millis(500);

/// A run on its way.
pub(super) struct Live<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) source: Source,
    pub(super) shadows: Shadows,
    pub(super) policy: PolicyKind,
    pub(super) seconds: f64,
    pub(super) has_days: bool,
    /// The place of the node that is killed at half time.
    pub(super) victim: usize,
    pub(super) journal: &'a Arc<Journal>,
}

/// What has been seen so far.
#[derive(Default)]
struct Seen {
    moments: Vec<Moment>,
    score: Score,
    last: Hits,
}

/// The death of a node, and who will tell that it is over.
struct Death {
    killed: Killed,
    at_s: f64,
    recovery: Receiver<Recovered>,
}

impl Live<'_> {
    /// Shows the demo until it is over or somebody has seen enough.
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let watch = self.cluster.watch();
        let load = Load::start(self.source, self.shadows, &watch.addrs(), self.journal.clone())?;
        let stop = on_signal(&load)?;
        let mut screen =
            Screen::open(self.journal.clone()).context("cannot use the terminal").map_err(Failure::failed)?;
        self.journal.echo(false);
        let (began, begins_at) = (Instant::now(), self.journal.elapsed());
        let mut seen = Seen::default();
        let mut death: Option<Death> = None;
        let mut look = watch.look();
        loop {
            let now_s = began.elapsed().as_secs_f64();
            if now_s >= SAMPLE.as_secs_f64() * (seen.moments.len() + 1) as f64 {
                seen.sample(now_s, &load.board().sample(), self.seconds);
            }
            if death.is_none() && now_s >= self.seconds / 2.0 {
                death = Some(kill(self.cluster, self.victim, &seen, now_s, self.journal));
            }
            if let Some(death) = &mut death
                && death.killed.recovered.is_none()
            {
                death.killed.recovered = death.recovery.try_recv().ok();
            }
            look = with_peaks(watch.look(), &look);
            let scene = Scene {
                policy: self.policy,
                now_s,
                seconds: self.seconds,
                has_days: self.has_days,
                moments: &seen.moments,
                look: &look,
                journal: self.journal,
                begins_at,
                killed_at_s: death.as_ref().map(|death| death.at_s),
                recovered_s: death.as_ref().and_then(|death| death.killed.recovery_seconds()),
            };
            screen.draw(&scene).context("cannot draw").map_err(Failure::failed)?;
            let wish = screen.wait(FRAME);
            if wish == Wish::Quit || stop.load(Relaxed) || now_s >= self.seconds || load.is_over() {
                break;
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        drop(screen);
        let board = load.stop().map_err(Failure::failed)?;
        let sample = board.sample();
        seen.score.set(sample.total);
        let killed = death.map(|death| death.killed);
        let measured = Measured {
            boot_seconds: 0.0,
            seconds,
            requests_per_second: sample.total.requests as f64 / seconds,
            latency_us: LatencyReport::of(&board.latencies()),
            recovery_seconds: killed.as_ref().and_then(Killed::recovery_seconds),
            unserved: sample.unserved,
            retries: 0,
            disturbed: look.disturbed,
        };
        Ok(Outcome { score: seen.score, killed, measured })
    }
}

impl Seen {
    fn sample(&mut self, now_s: f64, sample: &Sample, seconds: f64) {
        self.moments.push(Moment {
            at_s: now_s,
            total: sample.total,
            unserved: sample.unserved,
            p50_us: sample.p50_us,
            p99_us: sample.p99_us,
        });
        self.last = sample.total;
        self.score.set(sample.total);
        let samples = seconds / SAMPLE.as_secs_f64();
        let per_window = (samples / WINDOWS as f64).max(1.0) as usize;
        if self.moments.len().is_multiple_of(per_window) {
            self.score.end_window();
        }
    }
}

fn kill(cluster: &mut Cluster, victim: usize, seen: &Seen, now_s: f64, journal: &Arc<Journal>) -> Death {
    let watch = cluster.watch();
    let lost = cluster.kill(victim);
    let node = watch.name(victim).to_owned();
    journal.note(Weight::Bad, lost.describe(&node));
    let recovery = observe(watch, journal.clone());
    let killed = Killed { node, after_requests: seen.last.requests, lost, recovered: None };
    Death { killed, at_s: now_s, recovery }
}

/// A look at the cluster that remembers that it was disturbed.
fn with_peaks(look: Look, before: &Look) -> Look {
    Look { disturbed: look.disturbed || before.disturbed, ..look }
}

/// Turns true when a signal asks the process to end, or the terminal is gone: the terminal must be given back, and the
/// cluster stopped, first.
fn on_signal(load: &Load) -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let installed = load.runtime().block_on(async {
        let hangup = signal(SignalKind::hangup()).context("cannot listen for signals")?;
        anyhow::Ok((Signals::install()?, hangup))
    });
    let (mut signals, mut hangup) = installed.map_err(Failure::failed)?;
    load.runtime().spawn(async move {
        tokio::select! {
            _ = signals.next() => {}
            _ = hangup.recv() => {}
        }
        told.store(true, Relaxed);
    });
    Ok(stop)
}
