//! The demo without a live view: one request after the other, so that the same seed gives the same result.
//!
//! ```text
//!   request --> shadows, client --> score        at half time: kill a node, between two requests
//! ```
//! Does not know how a result is shown.

use super::{
    client::{Client, Served},
    cluster::Cluster,
    journal::{Journal, Weight},
    recovery::{Recovered, observe},
    report::{Killed, LatencyReport, Measured, Outcome},
    score::{Score, WINDOWS},
    shadows::Shadows,
    workload::{MAX_VALUE_BYTES, Source},
};
use crate::{failure::Failure, latencies::Latencies};
use predis_policy::PolicyKind;
use std::{
    sync::{Arc, mpsc::Receiver},
    time::Instant,
};

/// Which node dies when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kill {
    /// Its place.
    pub(super) index: usize,
    /// After how many requests.
    pub(super) after_requests: u64,
}

/// A run on its way.
pub(super) struct Headless<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) source: Source,
    pub(super) requests: u64,
    pub(super) shadows: Shadows,
    pub(super) kill: Kill,
    pub(super) journal: &'a Arc<Journal>,
}

impl Headless<'_> {
    /// Sends all requests.
    pub(super) async fn run(mut self) -> Result<Outcome, Failure> {
        let watch = self.cluster.watch();
        let mut client = Client::new(watch.addrs(), MAX_VALUE_BYTES as usize).await;
        let (mut score, mut latencies) = (Score::default(), Latencies::default());
        let (mut retries, mut retries_before) = (0, 0);
        let mut death: Option<(Killed, Receiver<Recovered>)> = None;
        let began = Instant::now();
        while let Some(request) = self.source.next().map_err(Failure::failed)? {
            if score.total().requests == self.kill.after_requests {
                retries_before = retries;
                death = Some(self.kill());
            }
            self.shadows.request(&request);
            let served = client.request(&request).await.map_err(Failure::failed)?;
            let Served { hit, latency, retries: more } = served;
            latencies.record(latency);
            retries += more;
            score.count(hit, self.shadows.hits());
            self.mark(&mut score);
        }
        let seconds = began.elapsed().as_secs_f64();
        let mut killed = None;
        if let Some((mut death, recovery)) = death {
            death.recovered = recovery.recv().ok();
            killed = Some(death);
        }
        let measured = Measured {
            boot_seconds: 0.0,
            seconds,
            requests_per_second: score.total().requests as f64 / seconds,
            latency_us: LatencyReport::of(&latencies),
            recovery_seconds: killed.as_ref().and_then(Killed::recovery_seconds),
            unserved: 0,
            retries,
            // While all nodes live, nothing is to be sent twice.
            disturbed: watch.look().disturbed || retries_before > 0,
        };
        Ok(Outcome { score, killed, measured })
    }

    fn kill(&mut self) -> (Killed, Receiver<Recovered>) {
        let Kill { index, after_requests } = self.kill;
        let lost = self.cluster.kill(index);
        let watch = self.cluster.watch();
        let node = watch.name(index).to_owned();
        self.journal.note(Weight::Bad, lost.describe(&node));
        let recovery = observe(watch, self.journal.clone());
        (Killed { node, after_requests, lost, recovered: None }, recovery)
    }

    /// Ends windows, and tells how it goes.
    fn mark(&self, score: &mut Score) {
        let total = score.total();
        if total.requests.is_multiple_of(self.requests.div_ceil(WINDOWS).max(1)) {
            score.end_window();
        }
        if total.requests.is_multiple_of(self.requests.div_ceil(10).max(1)) {
            let alone =
                PolicyKind::ALL.map(|kind| format!("{} {:.3}", kind.name(), total.shadow_ratio(kind)));
            let percent = 100 * total.requests / self.requests.max(1);
            let text = format!("{percent:>3} %  hit ratio {:.3}; alone: {}", total.ratio(), alone.join(", "));
            self.journal.note(Weight::Plain, text);
        }
    }
}
