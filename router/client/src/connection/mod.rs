//! One connection to a node: many calls at once, written together, answered in order.
//!
//! ```text
//! calls --encode, under one lock--> Queue { unsent bytes | waiting calls, in the same order }
//!                                     |                        ^
//!                  driver: one write of all there is         one reply, one waiting call
//!                                     v                        |
//!                                    node ----- replies -------'
//! ```
//! Knows nothing of which node it leads to, nor of what a reply means.

mod driver;
mod handshake;
mod queue;

pub(crate) use driver::{End, drive};
pub(crate) use handshake::{Greeting, HandshakeError, Link, shake_hands};
pub(crate) use queue::{Answer, Broken, Queue};

use crate::near::Source;
use std::sync::Arc;
use tokio::{sync::oneshot, task::AbortHandle, time::Instant};

/// An open connection. Dropping it closes it.
pub(crate) struct Connection {
    queue: Arc<Queue>,
    driver: AbortHandle,
    source: Option<Arc<Source>>,
}

/// The connection was closed before a call could be put into its queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed;

impl Connection {
    /// A connection that the task of this handle drives; copies may be kept of what is read on it if it has a source.
    pub(crate) fn new(queue: Arc<Queue>, driver: AbortHandle, source: Option<Arc<Source>>) -> Connection {
        Connection { queue, driver, source }
    }

    /// See [`Connection::new`].
    pub(crate) fn source(&self) -> Option<&Arc<Source>> {
        self.source.as_ref()
    }

    /// Whether calls can be put into its queue.
    pub(crate) fn is_open(&self) -> bool {
        self.queue.is_open()
    }

    /// Sends a command, once there is room. `due` is when it should be answered at the latest.
    pub(crate) async fn send(
        &self,
        command: &[&[u8]],
        due: Instant,
    ) -> Result<oneshot::Receiver<Answer>, Closed> {
        loop {
            // Asked for before looking, so that no room made in between is missed.
            let room = self.queue.room();
            match self.queue.push(command, due)? {
                Some(answer) => return Ok(answer),
                None => room.await,
            }
        }
    }

    /// Sends commands next to each other; their answers come in the same order.
    pub(crate) async fn send_run(
        &self,
        commands: &[Vec<&[u8]>],
        due: Instant,
    ) -> Result<Vec<oneshot::Receiver<Answer>>, Closed> {
        loop {
            let room = self.queue.room();
            match self.queue.push_run(commands, due)? {
                Some(answers) => return Ok(answers),
                None => room.await,
            }
        }
    }

    /// Sends nothing more on it. Calls under way keep it until they are answered.
    pub(crate) fn retire(&self) {
        self.queue.retire();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.queue.close(End::GaveUp);
        self.driver.abort();
        if let Some(source) = &self.source {
            source.end();
        }
    }
}
