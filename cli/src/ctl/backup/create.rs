//! `predis ctl backup create`: every partition from its primary into a file, the index at the end.
//!
//! A partition whose primary changes, or that changes by more than is kept, is begun again, a few times.

use super::{
    AT_ONCE, bar,
    members::{Asked, Members, PATIENCE, PAUSE, Refused},
    right::Right,
};
use crate::{
    ctl::{answer::Answer, session::Session, time::now_ms},
    failure::Failure,
    stop::Signals,
};
use anyhow::anyhow;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::{HumanBytes, ProgressBar};
use predis_backup::{Create, CreateError, FileEntry, Index, PartitionFile, Tenant};
use predis_proto::admin::{
    BackupPart, GetConfigRequest, ReadBackupRequest, StatusReply, config_client::ConfigClient,
};
use predis_types::{ClusterId, PartitionCount};
use serde_json::json;
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use tokio::time::Instant;
use tonic::Streaming;

/// How often a partition is begun.
const ATTEMPTS: u32 = 5;

#[derive(Debug, Args)]
pub(in crate::ctl) struct CreateArgs {
    /// Where: a directory that is empty, or is made.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// What a file turned out to be: what the index says of it, and whose keys are in it.
type Written = (FileEntry, BTreeSet<u32>);

/// Makes a backup.
pub(super) async fn run(session: &Session, args: &CreateArgs) -> Result<Answer, Failure> {
    let members = Members::find(session).await?;
    let (cluster, partitions) = identity(&members.status())?;
    let mut signals = Signals::install().map_err(Failure::failed)?;
    let create = Create::begin(&args.to, cluster, partitions, now_ms()).map_err(unwritten)?;
    let right = match Right::take(session, false).await {
        Ok(right) => right,
        Err(failure) => {
            create.give_up();
            return Err(failure);
        }
    };
    let template = "{prefix} {bar:30} {pos}/{len} partitions, {msg}";
    let bar = bar(u64::from(partitions.get()), template, "backup");
    let making = Making { session, members, create: &create, token: right.token, bar, bytes: Cell::new(0) };
    let made = tokio::select! {
        made = making.all(partitions) => made,
        lost = right.keep() => Err(lost),
        signal = signals.next() => Err(Failure::failed(anyhow!("{signal}: nothing is left of the backup"))),
    };
    making.bar.finish_and_clear();
    right.give_back().await;
    match made {
        Ok(index) => Ok(answer(args, &index)),
        Err(failure) => {
            create.give_up();
            Err(failure)
        }
    }
}

/// Which cluster it is and how many partitions it has.
pub(super) fn identity(status: &StatusReply) -> Result<(ClusterId, PartitionCount), Failure> {
    let cluster = status.cluster.parse().ok();
    let partitions = u16::try_from(status.partition_count).ok().and_then(PartitionCount::new);
    let strange =
        || Failure::failed(anyhow!("the node says nothing that a cluster is: is it of another version?"));
    cluster.zip(partitions).ok_or_else(strange)
}

fn unwritten(error: CreateError) -> Failure {
    match error {
        CreateError::NotEmpty { .. } | CreateError::Open { .. } => Failure::usage(anyhow!("--to: {error}")),
        error => Failure::failed(error),
    }
}

struct Making<'a> {
    session: &'a Session,
    members: Members<'a>,
    create: &'a Create,
    token: u64,
    bar: ProgressBar,
    bytes: Cell<u64>,
}

impl Making<'_> {
    async fn all(&self, partitions: PartitionCount) -> Result<Index, Failure> {
        // Both from a node that is there now: what follows may take an hour.
        let (before, settings) = (tenants(&self.members.status()), self.settings().await?);
        let copies = stream::iter(partitions.iter()).map(|partition| self.partition(partition.0));
        let files: Vec<Written> = copies.buffer_unordered(AT_ONCE).try_collect().await?;
        // Those that were made or removed meanwhile may have keys in some partitions.
        let mut named = before;
        named.extend(tenants(&*self.members.now().await?));
        self.create.finish(files, named.into_values().collect(), settings, now_ms()).map_err(unwritten)
    }

    async fn settings(&self) -> Result<BTreeMap<String, String>, Failure> {
        let got = ConfigClient::new(self.session.channel.clone()).get(GetConfigRequest {}).await;
        let got = got.map_err(|status| self.session.failure(&status))?.into_inner();
        Ok(got.settings.into_iter().map(|setting| (setting.name, setting.value)).collect())
    }

    /// One partition, begun again while that may help.
    async fn partition(&self, partition: u16) -> Result<Written, Failure> {
        let (mut begun, mut until) = (0, Instant::now() + PATIENCE);
        loop {
            let words = match self.attempt(partition, &mut begun, &mut until).await {
                Ok(written) => {
                    self.bar.inc(1);
                    return Ok(written);
                }
                Err(Refused::Final(failure)) => return Err(failure),
                Err(Refused::Again(words)) => words,
            };
            if begun >= ATTEMPTS {
                return Err(Failure::failed(anyhow!(
                    "{words}; it was begun {begun} times, and that was the last"
                )));
            }
            if Instant::now() >= until {
                return Err(Failure::failed(anyhow!("{words}; nobody gave it for {PATIENCE:?}")));
            }
            tokio::time::sleep(PAUSE).await;
            // Should nobody answer, the next attempt says so.
            let _ = self.members.look().await;
        }
    }

    async fn attempt(
        &self,
        partition: u16,
        begun: &mut u32,
        until: &mut Instant,
    ) -> Result<Written, Refused> {
        let id = u32::from(partition);
        let (mut primary, asked) = self.members.primary(id).await?;
        let request = ReadBackupRequest { partition: id, token: self.token };
        let refused = |status| self.members.refused(&asked, &status);
        let mut parts = primary.read(request).await.map_err(refused)?.into_inner();
        *begun += 1;
        let file = self.create.partition(partition).map_err(|error| Refused::Final(unwritten(error)))?;
        let written = self.copy(file, &asked, &mut parts).await;
        *until = Instant::now() + PATIENCE;
        written
    }

    async fn copy(
        &self,
        mut file: PartitionFile,
        asked: &Asked,
        parts: &mut Streaming<BackupPart>,
    ) -> Result<Written, Refused> {
        let broken = |error| Refused::Final(unwritten(error));
        loop {
            let part = parts.message().await.map_err(|status| self.members.refused(asked, &status))?;
            let ended = || Refused::Again(asked.words("it ended before its cut"));
            let BackupPart { page, changes, cut } = part.ok_or_else(ended)?;
            let before = file.size_bytes();
            if !page.is_empty() {
                file.page(&page).map_err(broken)?;
            }
            changes.iter().try_for_each(|change| file.change(change)).map_err(broken)?;
            self.bytes.set(self.bytes.get() + file.size_bytes() - before);
            self.bar.set_message(HumanBytes(self.bytes.get()).to_string());
            if let Some(cut) = cut {
                // The disk may take its time, and nodes ask meanwhile whether anybody is still there.
                let finish = move || file.finish(cut.epoch, cut.sequence);
                let finished = tokio::task::spawn_blocking(finish).await;
                return finished.map_err(|error| Refused::Final(Failure::failed(error)))?.map_err(broken);
            }
        }
    }
}

fn tenants(status: &StatusReply) -> BTreeMap<u32, Tenant> {
    let tenant = |of: &predis_proto::admin::Tenant| Tenant {
        id: of.id,
        name: of.name.clone(),
        placement: of.placement.clone(),
        ack: of.ack.clone(),
        policy: of.policy.clone(),
        memory_bytes: of.memory_bytes,
        max_ops_per_second: of.max_ops_per_second,
        max_connections: of.max_connections,
    };
    status.tenants.iter().map(|of| (of.id, tenant(of))).collect()
}

fn answer(args: &CreateArgs, index: &Index) -> Answer {
    let sum = |of: fn(&FileEntry) -> u64| index.files.iter().map(of).sum::<u64>();
    let (bytes, keys, changes) = (index.size_bytes(), sum(|f| f.paged_keys), sum(|f| f.changes));
    let Index { cluster, begun_at_ms, finished_at_ms, .. } = index;
    let directory = args.to.display().to_string();
    let text = format!(
        "backup of cluster {cluster} in {directory}: {} partitions, {}, {keys} keys and {changes} changes made \
         meanwhile\n`predis ctl backup verify {directory}` reads it again",
        index.files.len(),
        HumanBytes(bytes),
    );
    let json = json!({
        "directory": directory, "cluster": cluster, "begun_at_ms": begun_at_ms, "finished_at_ms": finished_at_ms,
        "partitions": index.files.len(), "tenants": index.tenants.len(), "size_bytes": bytes,
        "paged_keys": keys, "changes": changes,
    });
    Answer::new(text, json)
}
