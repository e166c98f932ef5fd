//! The signals that a command hears: SIGINT and SIGTERM, which end it, and SIGHUP, which has it read its settings again.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The handlers, installed.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Installs the handlers: from now on the signals no longer kill the process.
    pub(crate) fn install() -> anyhow::Result<Signals> {
        Ok(Signals {
            interrupt: install(SignalKind::interrupt())?,
            terminate: install(SignalKind::terminate())?,
        })
    }

    /// The next signal's name.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// The handler of SIGHUP, installed.
pub(crate) struct Hangups(Signal);

impl Hangups {
    /// Installs the handler: from now on SIGHUP no longer kills the process.
    pub(crate) fn install() -> anyhow::Result<Hangups> {
        install(SignalKind::hangup()).map(Hangups)
    }

    /// Waits for the next one; several that come close to each other are one.
    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

fn install(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot listen for signals")
}
