//! The right to make a backup or to restore one: taken, kept while the work goes on, given back.
//!
//! Whoever dies with it leaves it to run out, after half a minute. Does not know the work.

use crate::{ctl::session::Session, failure::Failure};
use anyhow::anyhow;
use predis_proto::admin::{BeginBackupRequest, EndBackupRequest, backup_client::BackupClient};
use std::time::Duration;
use tonic::Code;

/// How often it is renewed; it lasts three times as long.
const RENEW: Duration = Duration::from_secs(10);

/// A right that is held.
pub(super) struct Right<'a> {
    session: &'a Session,
    restore: bool,
    pub(super) token: u64,
}

impl<'a> Right<'a> {
    /// Takes it.
    pub(super) async fn take(session: &'a Session, restore: bool) -> Result<Right<'a>, Failure> {
        let request = BeginBackupRequest { restore, token: 0 };
        let begun = BackupClient::new(session.channel.clone()).begin(request).await;
        let begun = begun.map_err(|status| session.failure(&status))?;
        Ok(Right { session, restore, token: begun.into_inner().token })
    }

    /// Renews it for as long as it can be; why it cannot be any more. While the node that gave it does not answer, the
    /// work goes on: nobody else has it until others see one who took it.
    pub(super) async fn keep(&self) -> Failure {
        loop {
            tokio::time::sleep(RENEW).await;
            let request = BeginBackupRequest { restore: self.restore, token: self.token };
            if let Err(status) = BackupClient::new(self.session.channel.clone()).begin(request).await
                && matches!(
                    status.code(),
                    Code::FailedPrecondition | Code::PermissionDenied | Code::Unauthenticated
                )
            {
                return Failure::failed(anyhow!("the right to go on is lost: {}", status.message()));
            }
        }
    }

    /// Gives it back; should that fail, it runs out.
    pub(super) async fn give_back(&self) {
        let request = EndBackupRequest { restore: self.restore, token: self.token };
        let _ = BackupClient::new(self.session.channel.clone()).end(request).await;
    }
}
