//! The right to make a backup or to restore one: taken, kept while the work goes on, given back.
//!
//! Whoever dies with it leaves it to run out, after half a minute. Does not know the work.

use crate::{ctl::session::Session, failure::Failure};
use anyhow::anyhow;
use predis_proto::admin::{BeginBackupRequest, EndBackupRequest, backup_client::BackupClient};
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Code, Status};

/// How long it lasts without a renewal, at least.
const LASTS: Duration = Duration::from_secs(30);

/// How often it is renewed, and how long after a failure it is tried again.
const RENEW: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(1);

/// A right that is held.
pub(super) struct Right<'a> {
    session: &'a Session,
    restore: bool,
    pub(super) token: u64,
    /// Until when nobody else has it.
    until: Instant,
}

impl<'a> Right<'a> {
    /// Takes it.
    pub(super) async fn take(session: &'a Session, restore: bool) -> Result<Right<'a>, Failure> {
        let (request, until) = (BeginBackupRequest { restore, token: 0 }, Instant::now() + LASTS);
        let begun = BackupClient::new(session.channel.clone()).begin(request).await;
        let begun = begun.map_err(|status| session.failure(&status))?;
        Ok(Right { session, restore, token: begun.into_inner().token, until })
    }

    /// Renews it for as long as it can be; why it cannot be any more. While the node that gave it does not answer, the
    /// work goes on until the right has run out: from then on somebody else may have it.
    pub(super) async fn keep(&self) -> Failure {
        let (mut until, mut pause) = (self.until, RENEW);
        let mut last = "the node does not answer".to_owned();
        loop {
            tokio::time::sleep(pause).await;
            let sent = Instant::now();
            match tokio::time::timeout_at(until, self.renew()).await {
                Ok(Ok(())) => {
                    (until, pause) = (sent + LASTS, RENEW);
                    continue;
                }
                Ok(Err(status)) if is_lost(status.code()) => {
                    return Failure::failed(anyhow!("the right to go on is lost: {}", status.message()));
                }
                Ok(Err(status)) => last = self.session.failure(&status).to_string(),
                Err(_) => {}
            }
            if Instant::now() >= until {
                return Failure::failed(anyhow!(
                    "the right to go on has run out: it was not renewed for {LASTS:?}, {last}"
                ));
            }
            pause = AGAIN;
        }
    }

    async fn renew(&self) -> Result<(), Status> {
        let request = BeginBackupRequest { restore: self.restore, token: self.token };
        BackupClient::new(self.session.channel.clone()).begin(request).await.map(|_| ())
    }

    /// Gives it back; should that fail, it runs out.
    pub(super) async fn give_back(&self) {
        let request = EndBackupRequest { restore: self.restore, token: self.token };
        let _ = BackupClient::new(self.session.channel.clone()).end(request).await;
    }
}

/// Whether an answer says that asking again will not bring it back.
fn is_lost(code: Code) -> bool {
    use Code::{Aborted, FailedPrecondition, PermissionDenied, Unauthenticated};
    matches!(code, Aborted | FailedPrecondition | PermissionDenied | Unauthenticated)
}
