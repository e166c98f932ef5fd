//! `predis ctl backup verify`: every file read and held against the index, and its keys counted.

use super::{bar, unusable};
use crate::{
    ctl::{answer::Answer, table},
    failure::Failure,
};
use indicatif::HumanBytes;
use predis_backup::{Backup, Checked};
use serde_json::json;
use std::{collections::BTreeMap, path::Path};

/// Reads all of it.
pub(super) fn run(directory: &Path) -> Result<Answer, Failure> {
    let backup = Backup::open(directory).map_err(unusable)?;
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for checked in check(&backup)? {
        for key in backup.keys(checked).map_err(unusable)? {
            *counts.entry(key.map_err(unusable)?.tenant).or_default() += 1;
        }
    }
    let index = backup.index();
    let bytes = index.size_bytes();
    let keys = counts.values().sum::<u64>();
    let of = |id: u32| counts.get(&id).copied().unwrap_or_default();
    let tenants = index.tenants.iter().map(|tenant| (tenant, of(tenant.id)));
    let rows: Vec<_> =
        tenants.clone().map(|(tenant, keys)| vec![tenant.name.clone(), keys.to_string()]).collect();
    let tenants: Vec<_> =
        tenants.map(|(tenant, keys)| json!({ "id": tenant.id, "name": tenant.name, "keys": keys })).collect();
    let text = format!(
        "the backup is whole: {} partitions of cluster {}, {}, {keys} keys\n\n{}",
        index.files.len(),
        index.cluster,
        HumanBytes(bytes),
        table::render(&["TENANT", "KEYS"], &rows),
    );
    let json = json!({
        "directory": directory.display().to_string(), "cluster": index.cluster, "partitions": index.files.len(),
        "size_bytes": bytes, "keys": keys, "tenants": tenants,
    });
    Ok(Answer::new(text, json))
}

/// Holds every file against the index.
pub(super) fn check(backup: &Backup) -> Result<Vec<Checked>, Failure> {
    let files = &backup.index().files;
    let bar = bar(backup.index().size_bytes(), "{prefix} {bar:30} {bytes}/{total_bytes}", "verify");
    let checked =
        files.iter().map(|file| backup.check(file, |more| bar.inc(more)).map_err(unusable)).collect();
    bar.finish_and_clear();
    checked
}
