//! `predis ctl backup restore`: all of a backup checked, then each key set on the primary of its partition.
//!
//! Nothing is written before everything was read and found whole. Setting a key twice is setting it once, so a restore
//! that stopped may be run again.

use super::{
    AT_ONCE, bar,
    create::identity,
    members::{Members, PATIENCE, PAUSE, Refused},
    right::Right,
    unusable, verify,
};
use crate::{
    ctl::{answer::Answer, session::Session, table},
    failure::Failure,
    stop::Signals,
};
use anyhow::anyhow;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use predis_backup::{Backup, Checked, Index, Key};
use predis_proto::admin::{
    BackupKey, CreateTenantRequest, StatusReply, WriteBackupRequest, tenants_client::TenantsClient,
};
use predis_router::colocated_partition;
use predis_types::{PartitionCount, TenantId, key_slot};
use serde_json::json;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
};
use tokio::time::Instant;

/// How many keys and bytes go into one call, about.
const CALL_KEYS: usize = 128;
const CALL_BYTES: usize = 64 << 10;

/// How many bytes of one file wait for company, at most: its keys may be of many partitions.
const WAITING_BYTES: usize = 4 << 20;

#[derive(Debug, Args)]
pub(in crate::ctl) struct RestoreArgs {
    /// The backup's directory.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The backup is of another cluster than this one: restore it all the same.
    #[arg(long)]
    other_cluster: bool,
    /// Set keys of tenants that have keys already. What the backup does not have stays.
    #[arg(long)]
    overwrite: bool,
}

/// A tenant of the backup in the cluster.
struct Home {
    name: String,
    id: u32,
    colocated: bool,
}

/// Restores a backup.
pub(super) async fn run(session: &Session, args: &RestoreArgs) -> Result<Answer, Failure> {
    let backup = Arc::new(Backup::open(&args.from).map_err(unusable)?);
    let members = Members::find(session).await?;
    let (cluster, partitions) = identity(&members.status())?;
    let from = backup.index().cluster;
    if from != cluster && !args.other_cluster {
        return Err(Failure::failed(anyhow!(
            "the backup is of cluster {from}, this is cluster {cluster}: if that is meant, give --other-cluster"
        )));
    }
    // Before everything is read, and again once nobody else restores.
    look(&members, backup.index(), args.overwrite).await?;
    // For minutes, in which the node asks whether anybody is still there.
    let reading = backup.clone();
    let checked = tokio::task::spawn_blocking(move || verify::check(&reading)).await;
    let checked = checked.map_err(Failure::failed)??;
    let mut signals = Signals::install().map_err(Failure::failed)?;
    let right = Right::take(session, true).await?;
    let template = "{prefix} {bar:30} {pos}/{len} files, {msg}";
    let bar = bar(checked.len() as u64, template, "restore");
    let restoring = Restoring {
        session,
        members,
        backup: &backup,
        partitions,
        token: right.token,
        bar,
        sent: Cell::new(0),
        set: RefCell::default(),
        created: RefCell::default(),
    };
    let restored = tokio::select! {
        restored = restoring.all(checked, args.overwrite) => restored,
        lost = right.keep() => Err(lost),
        signal = signals.next() => Err(Failure::failed(anyhow!("{signal}"))),
    };
    restoring.bar.finish_and_clear();
    right.give_back().await;
    let homes =
        restored.map_err(|failure| unfinished(failure, restoring.sent.get(), &restoring.created.borrow()))?;
    let now = restoring.members.counts().await.map_err(|failure| failure.to_string());
    Ok(restoring.answer(args, cluster.to_string(), &homes, &now))
}

/// The cluster as of now; refused where tenants of the backup have keys, unless those may be set over.
async fn look(members: &Members<'_>, index: &Index, overwrite: bool) -> Result<Arc<StatusReply>, Failure> {
    if overwrite {
        return members.now().await;
    }
    let counts = members.counts().await?;
    let status = members.status();
    refuse_taken(index, &status, &counts)?;
    Ok(status)
}

/// Refuses a cluster in which tenants of the backup have keys.
fn refuse_taken(index: &Index, status: &StatusReply, counts: &BTreeMap<u32, u64>) -> Result<(), Failure> {
    let of_backup = |name: &str| index.tenants.iter().any(|tenant| tenant.name == name);
    let taken: Vec<String> = status
        .tenants
        .iter()
        .filter(|tenant| of_backup(&tenant.name))
        .filter_map(|tenant| Some(format!("{} has {}", tenant.name, counts.get(&tenant.id)?)))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(anyhow!(
        "there are keys of tenants that the backup has ({}): give --overwrite to set its keys whatever they hold",
        taken.join(", ")
    )))
}

/// Keys of one tenant and one partition on their way.
#[derive(Default)]
struct Waiting {
    keys: Vec<BackupKey>,
    bytes: usize,
}

struct Restoring<'a> {
    session: &'a Session,
    members: Members<'a>,
    backup: &'a Backup,
    partitions: PartitionCount,
    token: u64,
    bar: ProgressBar,
    /// How many keys were given to a node, or may have been.
    sent: Cell<u64>,
    /// How many keys of each tenant were set, by the tenant's id in the cluster.
    set: RefCell<BTreeMap<u32, u64>>,
    /// The names of the tenants that were made.
    created: RefCell<Vec<String>>,
}

impl Restoring<'_> {
    /// Where each tenant of the backup is now, by its number there.
    async fn all(&self, checked: Vec<Checked>, overwrite: bool) -> Result<BTreeMap<u32, Home>, Failure> {
        let status = look(&self.members, self.backup.index(), overwrite).await?;
        let homes = self.homes(&status).await?;
        let files = stream::iter(checked).map(|checked| self.file(checked, &homes));
        files.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(homes)
    }

    /// Makes the tenants that are not there, with their settings. Those that are keep what they are set to: whoever runs
    /// this cluster may want them otherwise than they were.
    async fn homes(&self, status: &StatusReply) -> Result<BTreeMap<u32, Home>, Failure> {
        let mut homes = BTreeMap::new();
        for tenant in &self.backup.index().tenants {
            let there = status.tenants.iter().find(|there| there.name == tenant.name);
            let (id, placement) = match there {
                Some(there) => (there.id, &there.placement),
                None => {
                    let request = CreateTenantRequest {
                        name: tenant.name.clone(),
                        placement: tenant.placement.clone(),
                        policy: tenant.policy.clone(),
                        ack: tenant.ack.clone(),
                        memory_bytes: tenant.memory_bytes,
                        max_ops_per_second: tenant.max_ops_per_second,
                        max_connections: tenant.max_connections,
                    };
                    let made = TenantsClient::new(self.session.channel.clone()).create(request).await;
                    let made = made.map_err(|status| self.session.failure(&status))?;
                    self.created.borrow_mut().push(tenant.name.clone());
                    (made.into_inner().id, &tenant.placement)
                }
            };
            let home = Home { name: tenant.name.clone(), id, colocated: placement == "colocated" };
            homes.insert(tenant.id, home);
        }
        Ok(homes)
    }

    async fn file(&self, checked: Checked, homes: &BTreeMap<u32, Home>) -> Result<(), Failure> {
        let keys = self.backup.keys(checked).map_err(unusable)?;
        let mut waiting: BTreeMap<(u32, u32), Waiting> = BTreeMap::new();
        let mut waiting_bytes = 0;
        for key in keys {
            let Key { tenant, key, value, expire_at_ms } = key.map_err(unusable)?;
            // Every file was held against the tenants of the index.
            let Some(home) = homes.get(&tenant) else { continue };
            let partition = match home.colocated {
                true => colocated_partition(TenantId(home.id), self.partitions),
                false => self.partitions.partition_of(key_slot(&key)),
            };
            let place = (u32::from(partition.0), home.id);
            let with = waiting.entry(place).or_default();
            let bytes = key.len() + value.len();
            with.bytes += bytes;
            waiting_bytes += bytes;
            with.keys.push(BackupKey { key, value, expire_at_ms });
            if with.keys.len() >= CALL_KEYS || with.bytes >= CALL_BYTES {
                let full = std::mem::take(with);
                waiting_bytes -= full.bytes;
                self.send(place, full).await?;
            } else if waiting_bytes >= WAITING_BYTES {
                for (place, some) in std::mem::take(&mut waiting) {
                    self.send(place, some).await?;
                }
                waiting_bytes = 0;
            }
        }
        for (place, rest) in waiting {
            self.send(place, rest).await?;
        }
        self.bar.inc(1);
        Ok(())
    }

    /// Has the primary set keys, asked again while that may help.
    async fn send(&self, (partition, tenant): (u32, u32), waiting: Waiting) -> Result<(), Failure> {
        let count = waiting.keys.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let request = WriteBackupRequest { partition, token: self.token, tenant, keys: waiting.keys };
        self.sent.set(self.sent.get() + count);
        let until = Instant::now() + PATIENCE;
        let set = loop {
            let words = match self.attempt(&request).await {
                Ok(set) => break set,
                Err(Refused::Final(failure)) => return Err(failure),
                Err(Refused::Again(words)) => words,
            };
            if Instant::now() >= until {
                return Err(Failure::failed(anyhow!("{words}; nobody took it for {PATIENCE:?}")));
            }
            tokio::time::sleep(PAUSE).await;
            // Should nobody answer, the next attempt says so.
            let _ = self.members.look().await;
        };
        *self.set.borrow_mut().entry(tenant).or_default() += set;
        self.bar.set_message(format!("{} keys", self.sent.get()));
        Ok(())
    }

    async fn attempt(&self, request: &WriteBackupRequest) -> Result<u64, Refused> {
        let (mut primary, asked) = self.members.primary(request.partition).await?;
        let written = primary.write(request.clone()).await;
        written.map(|reply| reply.into_inner().set).map_err(|status| self.members.refused(&asked, &status))
    }

    /// What was done, and how many keys there are now, or why nobody can say.
    fn answer(
        &self,
        args: &RestoreArgs,
        cluster: String,
        homes: &BTreeMap<u32, Home>,
        now: &Result<BTreeMap<u32, u64>, String>,
    ) -> Answer {
        let set = self.set.borrow();
        let of = |counts: &BTreeMap<u32, u64>, home: &Home| counts.get(&home.id).copied().unwrap_or_default();
        let now_of = |home: &Home| now.as_ref().ok().map(|now| of(now, home));
        let total: u64 = set.values().sum();
        let expired = self.sent.get() - total;
        let tenants: Vec<_> = homes
            .values()
            .map(|home| json!({ "id": home.id, "name": home.name, "set": of(&set, home), "keys_now": now_of(home) }))
            .collect();
        let row = |home: &Home| {
            let keys = now_of(home).map_or("-".to_owned(), |keys| keys.to_string());
            vec![home.name.clone(), of(&set, home).to_string(), keys]
        };
        let rows: Vec<_> = homes.values().map(row).collect();
        let directory = args.from.display().to_string();
        let mut text = format!("{total} keys restored from {directory}, {expired} had expired\n\n");
        text += &table::render(&["TENANT", "SET", "KEYS NOW"], &rows);
        if homes.values().any(|home| now_of(home).is_some_and(|keys| keys < of(&set, home))) {
            text += "\n\nthere are fewer keys than were set: some expired or were deleted, or did not fit and were evicted";
        }
        if let Err(reason) = now {
            text += &format!("\n\nall of it is restored; how many keys there are now is not known: {reason}");
        }
        let json = json!({
            "directory": directory, "cluster": cluster, "from_cluster": self.backup.index().cluster, "set": total,
            "expired": expired, "tenants_created": *self.created.borrow(), "tenants": tenants,
            "not_counted": now.as_ref().err(),
        });
        Answer::new(text, json)
    }
}

/// What to say when it stopped on its way: as it is where nothing came of it.
fn unfinished(failure: Failure, sent: u64, created: &[String]) -> Failure {
    let made = match created {
        [] => String::new(),
        created => format!("; tenants that were made: {}", created.join(", ")),
    };
    let part = match sent {
        0 => String::new(),
        _ => format!("; {sent} keys were sent, so it is restored in part: run it again with --overwrite"),
    };
    failure.say(|words| format!("{words}{made}{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stopped_says_what_came_of_it() {
        let say = |sent, created: &[&str]| {
            let created: Vec<String> = created.iter().map(|name| (*name).to_owned()).collect();
            unfinished(Failure::usage(anyhow!("no")), sent, &created)
        };
        let said = say(0, &[]);
        assert!(matches!(said, Failure::Usage(_)) && said.to_string() == "no", "{said}");
        assert_eq!(say(0, &["a", "b"]).to_string(), "no; tenants that were made: a, b");
        let part = "3 keys were sent, so it is restored in part: run it again with --overwrite";
        assert_eq!(say(3, &[]).to_string(), format!("no; {part}"));
        assert_eq!(say(3, &["a"]).to_string(), format!("no; tenants that were made: a; {part}"));
    }
}
