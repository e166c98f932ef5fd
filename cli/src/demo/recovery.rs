//! How long it takes until every slot is served again. Does not know why they are not.

use super::{
    cluster::{Look, Watch},
    journal::{Journal, Weight},
};
use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

/// How often it is looked: nothing tells of the moment at which a lease covers what was placed.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long the slots may take to be served again.
const LIMIT: Duration = Duration::from_secs(60);

/// The cluster when every slot is served again, and how long that took.
#[derive(Clone, Debug)]
pub(super) struct Recovered {
    pub(super) look: Look,
    pub(super) after: Duration,
}

/// Watches from now on, on a thread of its own, and tells when every slot is served; never if that takes too long.
pub(super) fn observe(watch: Arc<Watch>, journal: Arc<Journal>) -> mpsc::Receiver<Recovered> {
    let (sender, receiver) = mpsc::channel();
    let began = Instant::now();
    thread::spawn(move || {
        while began.elapsed() < LIMIT {
            let look = watch.look();
            if look.is_whole() {
                let after = began.elapsed();
                let text = format!("every slot is served again, after {:.2} s", after.as_secs_f64());
                journal.note(Weight::Good, text);
                // Nobody listens any more when the run has ended.
                let _ = sender.send(Recovered { look, after });
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
    });
    receiver
}
