//! `predis ctl backup`: what partitions hold into a directory, and back into a cluster of any size.
//!
//! ```text
//! create:   members (who is whose primary) -> Read, several partitions at once -> predis_backup::Create
//! restore:  predis_backup::Backup, all of it checked first -> Write on the primary of each key
//! ```
//! One file a command. Does not know the format of the files: `predis_backup` does.

mod create;
mod members;
mod restore;
mod right;
mod show;
mod verify;

use super::{answer::Answer, bar::bar, session::Session};
use crate::failure::Failure;
use clap::Subcommand;
use predis_backup::OpenError;
use std::path::PathBuf;

/// How many partitions are on their way at a time.
const AT_ONCE: usize = 4;

/// Backups: what partitions hold, in a directory, and back again.
#[derive(Debug, Subcommand)]
pub(super) enum BackupCommand {
    /// Write what every partition holds into a directory, while the cluster goes on.
    Create(create::CreateArgs),
    /// Hold every file of a backup against its index; needs no cluster.
    Verify {
        /// The backup's directory.
        directory: PathBuf,
    },
    /// What a backup is of, by its index; needs no cluster.
    Show {
        /// The backup's directory.
        directory: PathBuf,
    },
    /// Put a backup's keys into a cluster, of whatever size.
    Restore(restore::RestoreArgs),
}

/// What needs no cluster; `None` for what does.
pub(super) fn run_here(command: &BackupCommand) -> Result<Option<Answer>, Failure> {
    match command {
        BackupCommand::Verify { directory } => verify::run(directory).map(Some),
        BackupCommand::Show { directory } => show::run(directory).map(Some),
        BackupCommand::Create(_) | BackupCommand::Restore(_) => Ok(None),
    }
}

/// Asks a cluster.
pub(super) async fn run(session: &Session, command: &BackupCommand) -> Result<Option<Answer>, Failure> {
    match command {
        BackupCommand::Create(args) => create::run(session, args).await.map(Some),
        BackupCommand::Restore(args) => restore::run(session, args).await.map(Some),
        here => run_here(here),
    }
}

/// A backup that cannot be used, to whoever typed the command.
fn unusable(error: OpenError) -> Failure {
    match error {
        OpenError::NotABackup(_) => Failure::usage(error),
        OpenError::Index { .. } | OpenError::File { .. } => Failure::failed(error),
    }
}
