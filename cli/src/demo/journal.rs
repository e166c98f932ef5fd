//! What happened, and when: the demo's own events and the warnings of the nodes, for the view or for standard error.
//!
//! ```text
//!   note(text) ---------------.
//!   tracing, of every node --> Journal --> view (the last ones)
//!                                     '--> standard error, when there is no view
//! ```
//! Nodes' log lines come through here, so that they cannot tear the screen. Does not know the view.

use std::{
    collections::VecDeque,
    fmt::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::Context};

/// How many events are kept.
const KEPT: usize = 200;

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It goes as it should.
    Plain,
    /// Something was lost or is missing.
    Bad,
    /// Something is well again.
    Good,
    /// A node said so.
    Log,
}

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Since the journal began.
    pub(super) at: Duration,
    pub(super) weight: Weight,
    pub(super) text: String,
}

/// All events.
pub(super) struct Journal {
    began: Instant,
    entries: Mutex<VecDeque<Entry>>,
    echo: AtomicBool,
}

impl Journal {
    /// A journal that begins now and writes to standard error.
    pub(super) fn begin() -> Arc<Journal> {
        Arc::new(Journal { began: Instant::now(), entries: Mutex::default(), echo: AtomicBool::new(true) })
    }

    /// Writes to standard error from now on, or does not.
    pub(super) fn echo(&self, echo: bool) {
        self.echo.store(echo, Relaxed);
    }

    /// Adds an event.
    pub(super) fn note(&self, weight: Weight, text: impl Into<String>) {
        let entry = Entry { at: self.began.elapsed(), weight, text: text.into() };
        if self.echo.load(Relaxed) {
            eprintln!("{entry}");
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The last events, oldest first.
    pub(super) fn last(&self, how_many: usize) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().skip(entries.len().saturating_sub(how_many)).cloned().collect()
    }

    /// How long ago the journal began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6.2} s  {}", self.at.as_secs_f64(), self.text)
    }
}

/// Takes the log lines of this process into a journal.
pub(super) struct Capture(pub(super) Arc<Journal>);

impl<S: tracing::Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        // A node's threads have its name.
        let mut line = Line(thread::current().name().map_or_else(String::new, |name| format!("{name}: ")));
        event.record(&mut line);
        self.0.note(Weight::Log, line.0);
    }
}

/// A log line as text: its message, then its fields.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn log_lines_become_entries_with_who_said_them() {
        let journal = Journal::begin();
        journal.echo(false);
        let subscriber = tracing_subscriber::registry().with(Capture(journal.clone()));
        let said = thread::Builder::new().name("node-7".to_owned()).spawn(move || {
            tracing::subscriber::with_default(subscriber, || {
                tracing::warn!(lost = 85, "partitions were lost")
            });
        });
        said.unwrap().join().unwrap();
        let entry = journal.last(1).remove(0);
        assert_eq!(
            (entry.weight, entry.text.as_str()),
            (Weight::Log, "node-7: partitions were lost lost=85")
        );
    }

    #[test]
    fn only_the_last_are_kept() {
        let journal = Journal::begin();
        journal.echo(false);
        (0..KEPT + 5).for_each(|number| journal.note(Weight::Plain, number.to_string()));
        let texts: Vec<String> = journal.last(2).into_iter().map(|entry| entry.text).collect();
        assert_eq!(texts, [(KEPT + 3).to_string(), (KEPT + 4).to_string()]);
        assert_eq!(journal.last(usize::MAX).len(), KEPT);
    }
}
